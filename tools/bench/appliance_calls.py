"""Calls at the appliance while tasks run, by default settings: at most half of the budget, however
many tasks run.

The vendor refuses above 50 a minute and session. Three worlds side by side, since calls are counted
and not timed. To have twenty tasks running takes 220 calls, six minutes of the bot's own budget:
so they are asked for and approved with a bot that keeps none. That one ends, and the real bot, as
it is set by default, starts on the same database and is the one that is counted.
"""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

from bot.sandbox.appliance import SimulatedAppliance
from bot.sandbox.slack import LocalSlack
from bot.settings import ApplianceSettings
from tests.kills.faults import Faults
from tests.kills.stage import DyingBot
from tools.bench.databases import Stored
from tools.bench.figures import Aim, Line
from tools.bench.installed import InstalledBot
from tools.bench.worlds import PATIENCE_SECONDS, SETTINGS, World

TASKS = (1, 10, 20)
WINDOWS = 2
POLL_SECONDS: float = ApplianceSettings.model_fields["poll_seconds"].default
WINDOW_SECONDS = 60.0

LONGER_THAN_THE_MEASURE = 3600.0

NO_BUDGET = Faults(calls_per_minute=100_000, window_ms=1)
"""And none of its calls is remembered in the database: the real bot's minute begins empty."""


def measure() -> list[Line]:
    with ThreadPoolExecutor(len(TASKS)) as pool:
        counted = list(pool.map(_calls_per_minute, TASKS))
    windows = f"{WINDOWS} windows of {WINDOW_SECONDS:g} s"
    vendor = "the vendor's 50 per session; VR_POLL_SECONDS and VR_CALLS_PER_MINUTE by default"
    aim = (Aim(20, absolute=True),)
    first = "calls per minute at the appliance, 1 task running"
    return [
        Line.alone(
            first if tasks == 1 else f"… {tasks} tasks", vendor, "calls", calls, windows, aim
        )
        for tasks, calls in zip(TASKS, counted, strict=True)
    ]


def _calls_per_minute(tasks: int) -> list[float]:
    """In each window, with so many tasks running all the time."""
    with (
        tempfile.TemporaryDirectory(prefix="vr-unpair-bench-") as folder,
        SimulatedAppliance(
            task_seconds=LONGER_THAN_THE_MEASURE, calls_per_minute=None
        ) as appliance,
        LocalSlack(rate_limits=False) as slack,
    ):
        world = World(appliance, slack)
        bot = _by_default(world, Path(folder))
        _let_run(world, bot, tasks)
        before = len(appliance.calls)
        with bot:
            appliance.wait_for(lambda: _polled_since(appliance, before), PATIENCE_SECONDS)
            calls = _counted(appliance)
        running = sum(not task.is_final for task in appliance.tasks)
        if running != tasks:
            raise RuntimeError(f"{running} tasks were running, not {tasks}")
        return calls


def _by_default(world: World, folder: Path) -> InstalledBot:
    bot = world.bot(folder)
    for name in SETTINGS:
        del bot.environment[name]
    return bot


def _let_run(world: World, bot: InstalledBot, tasks: int) -> None:
    """So many requests, asked for, approved and sent. Their bot has ended afterwards."""
    settings = {**bot.environment, **NO_BUDGET.environment()}
    with DyingBot(settings, bot.folder) as quick:
        world.slack.request_url = f"{quick.url}/slack/events"
        for _ in range(tasks):
            world.seconds_from_click_to_delete(world.ask())
    accepted = Stored.in_file(bot.folder).accepted()
    if accepted != tasks:
        raise RuntimeError(f"{accepted} requests are to be followed, not {tasks}")


def _polled_since(appliance: SimulatedAppliance, before: int) -> bool:
    return any(call.path.startswith("/tasks/") for call in appliance.calls[before:])


def _counted(appliance: SimulatedAppliance) -> list[float]:
    """Windows of a minute, one after the other. They begin in the middle between two polls, so that
    a poll that comes a moment late is counted where it belongs."""
    begin = appliance.calls[-1].at + POLL_SECONDS / 2
    ends = [begin + n * WINDOW_SECONDS for n in range(WINDOWS + 1)]
    time.sleep(max(0.0, ends[-1] - time.time()))
    at = [call.at for call in appliance.calls]
    per_minute = 60 / WINDOW_SECONDS
    return [
        per_minute * sum(since <= when < until for when in at) for since, until in pairwise(ends)
    ]
