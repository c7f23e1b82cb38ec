"""The stage of a scenario: the two sandbox servers, the real bot, and a cast of people."""

from __future__ import annotations

import base64
import itertools
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from bot.request.model import State
from sandbox import demo
from sandbox.appliance import SimulatedAppliance
from sandbox.bot_process import BotProcess
from sandbox.slack import Delivery, Ephemeral, LocalSlack, View, mentions
from tests.support.asked import Asked
from tests.support.bot_with_clock import CLOCK
from tests.support.clock import PATIENCE_SECONDS, wait_for
from tests.support.console import Console, ForkedConsole
from tests.support.forked.process import ForkedBot
from tests.support.way_in import WayIn

RITA, RUFUS = "U0RITA", "U0RUFUS"
"""They ask."""
ALAN, ANNA = "U0ALAN", "U0ANNA"
"""They may approve."""
STAN = "U0STAN"
"""A colleague who is in the channel and in no list."""

QUICK = {"VR_POLL_SECONDS": "0.2", "VR_CALLS_PER_MINUTE": "1000"}
"""The vendor's limit is not what is tried."""

ACK_SECONDS = 15.0
"""How long Slack waits here: three seconds may be too few on a busy machine."""

EXPECTED_FROM_SLACK = frozenset({"ratelimited"})
"""What Slack may answer in any scenario; anything else is a message that Slack would not take."""

_numbers = itertools.count(1)


class Servers:
    """The two sandbox servers with the cast of people. Everything that a test wants broken is in
    channels and between sites of its own."""

    def __init__(self, appliance: SimulatedAppliance, slack: LocalSlack) -> None:
        self.appliance, self.slack = appliance, slack
        for person in (RITA, RUFUS, ALAN, ANNA, STAN):
            slack.add_person(person.removeprefix("U0").title(), id=person)

    def settings(self) -> dict[str, str]:
        return demo.settings(self.appliance, self.slack, f"{ALAN},{ANNA}")

    def channel(self, **how: Any) -> str:
        return self.slack.add_channel(f"dr-{next(_numbers)}", **how)

    def pairing(self, **how: Any) -> str:
        """A new pairing between sites that no other pairing has."""
        number = next(_numbers)
        sites = {"local": f"berlin{number}", "remote": f"prague{number}"}
        return self.appliance.add_pairing(**{**sites, **how})


class Stage(Servers):
    """One bot and what it speaks to. Several requests may live in it."""

    def __init__(self, way_in: WayIn, appliance: SimulatedAppliance, slack: LocalSlack) -> None:
        super().__init__(appliance, slack)
        self.way_in = way_in
        self.bots: list[BotProcess] = []
        self._running = False
        self.expected_from_slack = set(EXPECTED_FROM_SLACK)

    # ---- the bot ------------------------------------------------------------------------------

    @property
    def bot(self) -> BotProcess:
        return self.bots[-1]

    def start(self, folder: Path, **settings: str) -> None:
        """A first bot, or one more after the last one has ended."""
        own = {**self.settings(), **QUICK, **self.way_in.settings(self.slack)}
        self._start(ForkedBot({**own, **settings}, folder))

    def restart(self, **settings: str) -> None:
        """Another process over the same database, with the same settings but for these."""
        last = self.bot
        self._start(ForkedBot({**last.environment, **settings}, last.folder))

    def kill(self) -> None:
        """SIGKILL, where a bot runs."""
        if self._running:
            self._running = False
            self.bot.kill()

    def terminate(self) -> int:
        """SIGTERM, and the exit code."""
        self._running = False
        return self.bot.stop()

    def goes_by(self, ms: int) -> None:
        """So much later, at once, for the bot in this folder (`tests.support.bot_with_clock`).
        Replaced in one go: it reads that all the time."""
        file = self.bot.folder / CLOCK
        before = int(file.read_text()) if file.exists() else 0
        new = Path(f"{file}.new")
        new.write_text(str(before + ms))
        os.replace(new, file)

    def _start(self, bot: BotProcess) -> None:
        self.bots.append(bot.start())
        self._running = True
        self.way_in.connect(self.slack, bot)

    @property
    def console(self) -> Console:
        return ForkedConsole(self.bot.environment, self.bot.folder)

    # ---- what people do -----------------------------------------------------------------------

    def asks(self, text: str, *, by: str = RITA, channel: str | None = None) -> Asked:
        """Somebody types the command, in a new channel unless told."""
        where = channel or self.channel()
        delivery = self.slack.command(by, text, channel=where)
        assert delivery.ok, (delivery.error, delivery.problem, delivery.text)
        return Asked(self.slack, by, where, delivery)

    def asks_to_break(self, pairing: str, words: str = "we move, CHG0031337") -> Asked:
        """Rita asks, and the card is there."""
        asked = self.asks(f"{pairing} {words}".strip())
        asked.wait_for_card()
        return asked

    def answers(self, delivery: Delivery) -> list[Ephemeral]:
        """What only the person who did this was shown for it, the acknowledgement included."""
        shown = [e for person in self.people for e in self.slack.ephemerals(person)]
        return [e for e in shown if e.trigger_id == delivery.trigger_id]

    def answer(self, delivery: Delivery) -> Ephemeral:
        """The one answer that comes after the acknowledgement; waited for."""
        late = self.slack.wait_for(
            lambda: [e for e in self.answers(delivery) if e.via != "ack"], PATIENCE_SECONDS
        )
        assert len(late) == 1, late
        return late[0]

    def says(self, asked: Asked, user: str, action: str, *words: str) -> str:
        """Somebody presses, and reads this in an answer of their own."""
        text = self.answer(asked.clicks(user, action)).text
        for each in words:
            assert each in text, text
        return text

    def wait_for_form(self) -> View:
        """Rita's form of a request, once it is filled."""
        views = self.slack.wait_for(
            lambda: [v for v in [self.slack.views.get(RITA)] if v and v.block("pairing")],
            PATIENCE_SECONDS,
        )
        return views[0]

    @property
    def people(self) -> list[str]:
        with self.slack.workspace.lock:
            return list(self.slack.workspace.people)

    def asked_of_appliance(self) -> list[str]:
        """Paths of the calls for somebody: the log-in and the version are read at each start."""
        at_start = {("POST", "/session"), ("GET", "/info")}
        calls = [(call.method, call.path) for call in self.appliance.calls]
        return [path for method, path in calls if (method, path) not in at_start]

    def states(self) -> dict[str, int]:
        """How many requests are in each state, as `/metrics` has it; those that are in none are
        left out. Much quicker than a process for each look."""
        page = requests.get(f"{self.bot.url}/metrics", timeout=PATIENCE_SECONDS).text
        found = re.findall(r'^vr_unpair_requests\{state="(\w+)"\} (\S+)$', page, re.MULTILINE)
        assert len(found) == len(State), page
        return {state: int(float(count)) for state, count in found if float(count)}

    def wait_for_states(self, wanted: dict[str, int]) -> None:
        """Until `/metrics` says so: what the bot knows, not only what it has sent."""
        wait_for(lambda: self.states() == wanted, told=lambda: f"{self.states()}, not {wanted}")

    def wait_for_log(self, name: str, **fields: object) -> None:
        """Until the bot that runs now has written such an event: what it did is committed."""
        wait_for(
            lambda: any(fields.items() <= event.items() for event in self.bot.events(name)),
            told=lambda: f"no {name} {fields} in the log",
        )

    def trail(self, action: str, count: int = 0) -> list[dict[str, Any]]:
        """The records of this action, waited for until there are `count`: what belongs to no
        request is answered before it is written."""

        def found() -> list[dict[str, Any]]:
            lines = self.console.run("audit", "export").stdout.splitlines()
            return [record for record in map(json.loads, lines) if record["action"] == action]

        return wait_for(lambda: [records for records in [found()] if len(records) >= count])[0]

    # ---- what must be true at the end of each -------------------------------------------------

    def called(self) -> set[str]:
        """Everybody who is really called by anything that was said, to one person too."""
        with self.slack.workspace.lock:
            standing = [m for m in self.slack.workspace.messages.values() if not m.deleted]
            said = [*standing, *self.slack.workspace.ephemerals]
        return {who for each in said for who in mentions(each)}

    @property
    def log_lines(self) -> list[str]:
        return [line for bot in self.bots for line in list(bot.lines)]

    def secrets(self) -> set[str]:
        """What must stand in no log line: tokens, passwords, response addresses, triggers."""
        with self.slack.workspace.lock:
            triggers = set(self.slack.workspace.triggers)
            addresses = set(self.slack.workspace.response_urls)
        log_in = f"{self.appliance.username}:{self.appliance.password}".encode()
        return {
            self.slack.bot_token,
            self.appliance.password,
            base64.b64encode(log_in).decode(),
            *self.way_in.secrets(self.slack),
            *triggers,
            *addresses,
        }

    def check(self) -> None:
        """Holds for every scenario, whatever it is about."""
        for line in self.log_lines:
            assert line.startswith("{"), f"not a log event: {line}"
            event = json.loads(line)
            assert event["level"] in ("debug", "info", "warning"), line
        leaked = [
            (secret, line) for secret in self.secrets() for line in self.log_lines if secret in line
        ]
        assert leaked == []
        refused = {call.error for call in self.slack.calls if call.error}
        assert refused <= self.expected_from_slack, refused


@contextmanager
def servers(
    *, rate_limits: bool = True, **options: Any
) -> Iterator[tuple[SimulatedAppliance, LocalSlack]]:
    """Both up, quick, and without the vendor's limit of calls. `options`: of SimulatedAppliance."""
    quick = {"task_seconds": 0.3, "calls_per_minute": None, **options}
    with SimulatedAppliance(**quick) as appliance, LocalSlack(rate_limits=rate_limits) as slack:
        yield appliance, slack


@contextmanager
def staged(
    way_in: WayIn, folder: Path, settings: dict[str, str], appliance: dict[str, Any]
) -> Iterator[Stage]:
    """Servers and bot up; at the end the bot is killed, for speed, and what holds always is
    checked."""
    with servers(**appliance) as both:
        stage = Stage(way_in, *both)
        stage.slack.courier.ack_seconds = ACK_SECONDS
        try:
            stage.start(folder, **settings)
            yield stage
        finally:
            stage.kill()
        stage.check()
