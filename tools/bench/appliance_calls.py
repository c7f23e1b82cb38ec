"""Calls at the appliance while tasks run, by default settings: at most half of the budget, however
many tasks run, and however many others that the appliance has.

The vendor refuses above 50 a minute and session. Several worlds side by side, since calls are
counted and not timed. To have fifty tasks running takes minutes of the bot's own budget: so they
are asked for and approved with a bot that keeps none. That one ends, and the real bot, as it is set
by default, starts on the same database and is the one that is counted.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from tests.support.way_in import OverHttp
from tools.bench.default_bots import DefaultBot, default_bots
from tools.bench.figures import Aim, Line
from tools.bench.worlds import World


@dataclass(frozen=True)
class Running:
    """Tasks of the bot, and of others at the same appliance."""

    tasks: int
    others: int = 0

    @property
    def words(self) -> str:
        return f"{self.tasks} tasks" + (f" beside {self.others:,} others" if self.others else "")


CASES = (Running(1), Running(10), Running(50), Running(10, others=1_000))
SETTLE_SECONDS, SECONDS = 61.0, 65.0
"""The first is the minute of the bot's budget. Right after its start every task is due at once."""

LONGER_THAN_THE_MEASURE = 3600.0


def measure() -> list[Line]:
    how = {"task_seconds": LONGER_THAN_THE_MEASURE, "calls_per_minute": None}
    with default_bots([OverHttp()] * len(CASES), _prepare, **how) as bots:
        time.sleep(SETTLE_SECONDS)
        since = time.time()
        time.sleep(SECONDS)
        most = [_most(one, since) for one in bots]
        for one, case in zip(bots, CASES, strict=True):
            tasks = sum(not task.is_final for task in one.world.appliance.tasks)
            if tasks != case.tasks + case.others or one.stored.accepted() != case.tasks:
                raise RuntimeError(f"{tasks} tasks were running, not {case.words}")
    of = f"any minute of {SECONDS:g} s"
    vendor = "the vendor's 50 per session; VR_POLL_SECONDS and VR_CALLS_PER_MINUTE by default"
    first = "most calls in a minute at the appliance, 1 task running"
    names = [first, *(f"… {case.words}" for case in CASES[1:])]
    aim = Aim(20, absolute=True)
    return [
        Line.alone(name, vendor, "calls", [calls], of, aim)
        for name, calls in zip(names, most, strict=True)
    ]


def _prepare(number: int, world: World) -> None:
    """So many requests, asked for, approved and sent."""
    case = CASES[number]
    for _ in range(case.others):
        world.appliance.add_task()
    for _ in range(case.tasks):
        world.seconds_from_click_to_delete(world.ask())


def _most(one: DefaultBot, since: float) -> float:
    """The most calls within any minute, wherever it begins."""
    at = [call.at for call in one.world.appliance.calls if call.at >= since]
    return max((sum(begin <= when < begin + 60 for when in at) for begin in at), default=0)
