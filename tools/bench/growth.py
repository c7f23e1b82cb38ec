"""How much a bot grows: its memory after 1,000 requests against what it had after its start.

Several real bots side by side, since memory is no time. Each plays one whole story, one denial by
form, a home tab and a list first, so that everything that people use has run once; then a person
who may not ask asks over and over, and is refused by Slack's word alone. Each of these is stored,
judged, ended, recorded and answered as any other is, without using up the appliance's calls.
"""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bot.sandbox.appliance import SimulatedAppliance
from bot.sandbox.slack import LocalSlack
from tools.bench.databases import Stored
from tools.bench.figures import Aim, Line
from tools.bench.idling import LAST_OF_THE_START
from tools.bench.processes import resident_mb, wait_until_idle
from tools.bench.worlds import PATIENCE_SECONDS, TASK_SECONDS, World

BOTS = 5
REQUESTS = 1_000
AT_ONCE = 50
"""So many are asked, then all of them are answered; after the first of these it is weighed too."""


@dataclass(frozen=True)
class Weighed:
    """MB of 1024 kB."""

    after_start: float
    after_some: float
    after_all: float


def measure() -> list[Line]:
    with ThreadPoolExecutor(BOTS) as pool:
        weighed = list(pool.map(lambda _: _one_bot(), range(BOTS)))
    start, some, everything = zip(
        *((w.after_start, w.after_some, w.after_all) for w in weighed), strict=True
    )
    bots = f"{BOTS} bots"
    aim = (Aim(1.05),)
    return [
        Line.compared(
            f"memory after {REQUESTS:,} requests",
            "the same bot after its start",
            "MB",
            everything,
            start,
            bots,
            aim,
        ),
        Line.compared(
            f"… of which after the first {AT_ONCE}",
            f"the same bot after {AT_ONCE}, with one of each kind",
            "MB",
            everything,
            some,
            bots,
        ),
    ]


def _one_bot() -> Weighed:
    with (
        tempfile.TemporaryDirectory(prefix="vr-unpair-bench-") as name,
        SimulatedAppliance(task_seconds=TASK_SECONDS, calls_per_minute=None) as appliance,
        LocalSlack(rate_limits=False) as slack,
    ):
        world, folder = World(appliance, slack), Path(name)
        stored = Stored.in_file(folder)
        stranger = slack.add_person("Sam")
        with world.bot(folder):
            pass  # to make a database takes memory that no later start takes
        before = len(appliance.calls)
        with world.bot(folder, {"REQUESTERS": world.rita}) as bot:
            slack.request_url = f"{bot.url}/slack/events"
            appliance.wait_for(lambda: _looked(appliance, before), PATIENCE_SECONDS)

            def weigh() -> float:
                wait_until_idle(bot.pid)
                return resident_mb(bot.pid)

            after_start = weigh()
            asked = _one_of_each(world)
            after_some = 0.0
            while asked < REQUESTS:
                many = AT_ONCE - asked % AT_ONCE
                _refused(world, stranger, many)
                stored.wait_until_done(PATIENCE_SECONDS)
                asked += many
                after_some = after_some or weigh()
            if stored.commands() != REQUESTS:
                raise RuntimeError(f"{stored.commands()} requests are stored, not {REQUESTS}")
            return Weighed(after_start, after_some, weigh())


def _looked(appliance: SimulatedAppliance, before: int) -> bool:
    return any(call.path == LAST_OF_THE_START for call in appliance.calls[before:])


def _one_of_each(world: World) -> int:
    """Whatever people do with a bot, once. Returns how many requests that were."""
    slack = world.slack
    card = world.ask()
    world.seconds_from_click_to_delete(card)
    world.wait_for_the_end(card)
    denied = world.ask()
    slack.click(world.alan, denied.message, "unpair_deny")
    slack.wait_for(lambda: slack.views.get(world.alan) is not None, PATIENCE_SECONDS)
    slack.submit(world.alan, values={"reason": "the sync is still running"})
    world.wait_for_the_end(denied)
    slack.open_home(world.alan)
    slack.wait_for(lambda: slack.home(world.alan) is not None, PATIENCE_SECONDS)
    known = len(slack.ephemerals(world.rita))
    slack.command(world.rita, "list", channel=world.channel)
    slack.wait_for(lambda: len(slack.ephemerals(world.rita)) > known, PATIENCE_SECONDS)
    return 2


def _refused(world: World, stranger: str, many: int) -> None:
    for _ in range(many):
        delivery = world.slack.command(stranger, "some-pairing CHG0031337", channel=world.channel)
        if not delivery.ok:
            raise RuntimeError(f"not acknowledged: {delivery.problem}")
