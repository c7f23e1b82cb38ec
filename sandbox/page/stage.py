"""The demo's world: who and what is there when it begins, the sandbox servers and the real bot as a
process, ended together, and the settings that the bot has here."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

from sandbox.appliance import SimulatedAppliance
from sandbox.bot_process import BotProcess, console_script
from sandbox.demo import settings
from sandbox.slack import LocalSlack

OTHER_TEAM = "T0OTHER01"
CHANNEL, WITHOUT_BOT = "dr-operations", "storage-team"
CHANNELS = {CHANNEL: "C0DROPS", WITHOUT_BOT: "C0STORAGE"}


@dataclass(frozen=True)
class Part:
    """One person that the visitor may be; `role` is what the page says about them."""

    id: str
    name: str
    role: str
    approver: bool = False
    foreign: bool = False
    guest: bool = False
    break_glass: bool = False


RITA = Part("U0RITA", "Rita", "administrator, asks")
ALAN = Part("U0ALAN", "Alan", "approver", approver=True)
ANNA = Part("U0ANNA", "Anna", "approver", approver=True)
BEA = Part("U0BEA", "Bea", "on call, may break the glass", break_glass=True)
GINA = Part("U0GINA", "Gina", "guest, though listed as approver", approver=True, guest=True)
STAN = Part("U0STAN", "Stan", "colleague, in no list")
GUS = Part("W0GUS", "Gus", "from another workspace", foreign=True)
PEOPLE = (RITA, ALAN, ANNA, BEA, GINA, STAN, GUS)


@dataclass(frozen=True)
class Pair:
    """A pairing of the demo: `remote` is None for a vCenter that is paired with itself."""

    home: str
    remote: str | None
    replications: int
    protected: int = 0
    remote_down: bool = False
    issue: str | None = None
    id: str | None = None


BERLIN, OSLO = "berlin", "oslo"
SITES = (BERLIN, OSLO)
"""Each has an appliance; the bot knows the first alone until a switch tells it of both."""

ITSELF = "5e1f0000-0be1-4c2a-9d3e-7a6b2c1d0e9f"
"""Named in an example: each pairing here has `berlin`, so the site's name fits them all."""

PAIRS = (
    Pair(BERLIN, "prague", 12, 4, issue="The certificate of the remote server expires soon."),
    Pair(BERLIN, "lisbon", 5, remote_down=True),
    Pair(BERLIN, "helsinki", 240),
    Pair(BERLIN, None, 0, id=ITSELF),
    Pair(OSLO, "bergen", 7, 1),
)

EXAMPLES = (
    ("Ask", "/vr-unpair vcenter-prague moving to the new site, CHG0031337"),
    ("One-sided", "/vr-unpair vcenter-lisbon --force the site burnt down, INC0815"),
    ("Paired with itself", f"/vr-unpair {ITSELF} is this left over?"),
    ("240 replications", "/vr-unpair vcenter-helsinki closing the branch office"),
    ("The form", "/vr-unpair"),
    ("List", "/vr-unpair list"),
    ("Help", "/vr-unpair help"),
)
"""What the page offers to type, so that the first minute needs no manual."""

MORE_EXAMPLES = (("Other appliance", "/vr-unpair oslo/vcenter-bergen the lease ends"),)
"""While the bot knows both appliances."""


def fill_slack(slack: LocalSlack) -> None:
    for part in PEOPLE:
        team = OTHER_TEAM if part.foreign else None
        slack.add_person(part.name, id=part.id, team_id=team, guest=part.guest)
    for name, channel_id in CHANNELS.items():
        slack.add_channel(name, id=channel_id, bot_is_member=name != WITHOUT_BOT)


def add_pair(appliance: SimulatedAppliance, pair: Pair, pairing_id: str | None = None) -> str:
    """The pairing as it is at the beginning; its id. Raises ValueError when the id is taken."""
    made = appliance.add_pairing(
        local=pair.home,
        remote=pair.remote or pair.home,
        replications=pair.replications,
        recovery_plans=pair.protected,
        pairing_id=pairing_id or pair.id,
    )
    if pair.remote_down:
        appliance.set_remote_down(made)
    if pair.issue is not None:
        appliance.add_issue(made, pair.issue)
    return made


TASK_SECONDS = 12.0
"""Long enough to watch a task, and to kill the bot while it runs."""

APPLIANCE_CALLS, BOT_CALLS = 600, 500
"""In a minute. A visitor plays in minutes what happens elsewhere in weeks. With the vendor's 50 and
the bot's 40 the third story would wait for most of a minute, and look broken. The page says so."""

OWN = {
    "NOTIFY": ",".join(part.id for part in PEOPLE if part.approver and not part.guest),
    "FORCE_APPROVALS_REQUIRED": "2",
    "REMIND_AFTER": "2m",
    "DEPLOYMENT_LABEL": "demo",
    "APPROVERS": ",".join(part.id for part in PEOPLE if part.approver),
    "BREAK_GLASS": ",".join(part.id for part in PEOPLE if part.break_glass),
}
TWO_POOLS = {
    "APPROVERS": "",
    "FORCE_APPROVALS_REQUIRED": "",
    "APPROVERS__STORAGE": ALAN.id,
    "APPROVERS__SECURITY": ANNA.id,
}
ONE_LIST = {name: OWN.get(name, "") for name in TWO_POOLS}
OF_EACH_APPLIANCE = {"VR_POLL_SECONDS": "2", "VR_CALLS_PER_MINUTE": str(BOT_CALLS)}


class Stage:
    """The appliances by site (`appliance` is the first), `slack` and the bot; SQLite in a folder
    that goes at the end.

    `more` are settings on top of the demo's own. `pairings`: each with what it was at first.
    """

    process: type[BotProcess] = BotProcess
    """How the bot is started: tests have a quicker way."""

    def __init__(
        self, *, task_seconds: float = TASK_SECONDS, more: Mapping[str, str] | None = None
    ) -> None:
        self.appliances = {
            site: SimulatedAppliance(task_seconds=task_seconds, calls_per_minute=APPLIANCE_CALLS)
            for site in SITES
        }
        self.appliance = self.appliances[BERLIN]
        self.slack = LocalSlack()
        self.pairings: dict[str, Pair] = {}
        self.database = Path()
        self.switched: dict[str, str] = {}
        self.known: tuple[str, ...] = (BERLIN,)
        self._more = dict(more or {})
        self._folder = Path()
        self._bot: BotProcess | None = None
        self._ends = ExitStack()
        self._changing = threading.Lock()

    def __enter__(self) -> Self:
        """Raises DidNotStart with what the bot said."""
        with ExitStack() as ends:
            folder = ends.enter_context(tempfile.TemporaryDirectory(prefix="vr-unpair-demo-"))
            for appliance in self.appliances.values():
                ends.enter_context(appliance)
            ends.enter_context(self.slack)
            fill_slack(self.slack)
            for pair in PAIRS:
                self.pairings[add_pair(self.appliances[pair.home], pair)] = pair
            self._folder = Path(folder)
            self.database = self._folder / "vr-unpair.db"
            ends.callback(self._stop_bot)
            self.start_bot()
            self._ends = ends.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ends.close()

    @property
    def bot(self) -> BotProcess:
        if self._bot is None:
            raise RuntimeError("the stage has not been entered")
        return self._bot

    def start_bot(self) -> None:
        """Does nothing while it runs. Raises DidNotStart."""
        with self._changing:
            if self._bot is None or not self._bot.alive:
                # Known to others when it runs: until then they see the one before, which does not.
                self._bot = self.process(self._settings(), self._folder).start()
                self.slack.request_url = f"{self._bot.url}/slack/events"

    def kill_bot(self) -> None:
        """SIGKILL in the middle of whatever it does; nothing while it does not run."""
        with self._changing:
            if self.bot.alive:
                self.bot.kill()

    def restart_bot(
        self, switched: Mapping[str, str] | None = None, *, known: tuple[str, ...] | None = None
    ) -> None:
        """With other settings from now on, and the appliances of the `known` sites. An empty value
        is the default again. Raises DidNotStart."""
        self._stop_bot()
        self.known = known or self.known
        self.switched |= switched or {}
        self.start_bot()

    def changed_settings(self) -> list[tuple[str, str, str]]:
        """(name, value here, default) of each that is not as the bot would have it by itself, those
        aside that every bot needs. Of several appliances' own, each is named once."""
        defaults = _defaults()
        here = {**OWN, **OF_EACH_APPLIANCE, **self._more, **self.switched}
        if len(self.known) > 1:
            here["VR_SITES__<NAME>__HOST"] = ", ".join(self.known)
        listed = [(name, value, defaults.get(name, "")) for name, value in here.items()]
        return [one for one in listed if one[1] not in ("", one[2])]

    def _settings(self) -> dict[str, str]:
        sites: dict[str, str] = {}
        for site in self.known:
            of_it = {**settings(self.appliances[site], self.slack, ""), **OF_EACH_APPLIANCE}
            of_it |= {name: value for name, value in self._more.items() if name.startswith("VR_")}
            for name, value in of_it.items():
                site_name = name.replace("VR_", f"VR_SITES__{site.upper()}__")
                sites[site_name if name.startswith("VR_") else name] = value
        more = {name: value for name, value in self._more.items() if not name.startswith("VR_")}
        return {
            **sites,
            **OWN,
            "DATABASE_URL": f"sqlite:///{self.database}",
            **more,
            **self.switched,
        }

    def _stop_bot(self) -> None:
        with self._changing:
            if self._bot is not None and self._bot.alive:
                self._bot.stop()


@cache
def _defaults() -> dict[str, str]:
    """Each setting's, as the bot's own example has it."""
    said = subprocess.run(  # noqa: S603 - our own command
        [console_script(), "settings", "--example"], capture_output=True, check=True
    ).stdout.decode()
    lines = (line.lstrip("#").partition("=") for line in said.splitlines())
    return {name: value for name, equals, value in lines if equals and " " not in name}
