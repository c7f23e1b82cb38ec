"""Who and what is there when the demo begins: people, channels, appliances, pairings."""

from __future__ import annotations

from dataclasses import dataclass

from bot.sandbox.appliance import SimulatedAppliance
from bot.sandbox.slack import LocalSlack

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
