"""Real bots side by side, each with its own appliance and Slack, and all settings by default."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.sandbox.appliance import SimulatedAppliance
from bot.sandbox.slack import LocalSlack
from tests.scenarios.way_in import WayIn
from tools.bench.databases import Stored
from tools.bench.installed import InstalledBot
from tools.bench.worlds import World


@dataclass(frozen=True)
class DefaultBot:
    """On SQLite. `connected_at`: about when Slack could reach it, by `time.monotonic`."""

    world: World
    bot: InstalledBot
    stored: Stored
    connected_at: float


@contextmanager
def default_bots(ways_in: Sequence[WayIn]) -> Iterator[list[DefaultBot]]:
    """One for each way in, started at the same time."""
    with ExitStack() as stack, ThreadPoolExecutor(len(ways_in)) as threads:
        worlds = [_world(stack) for _ in ways_in]
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vr-unpair-bench-")))
        folders = [folder / str(number) for number, _ in enumerate(ways_in)]
        processes = []
        for world, way_in, own in zip(worlds, ways_in, folders, strict=True):
            own.mkdir()
            processes.append(InstalledBot(_settings(world, way_in), own))
            stack.callback(_end, processes[-1])

        def started(number: int) -> DefaultBot:
            world, bot = worlds[number], processes[number].start()
            ways_in[number].connect(world.slack, bot)
            stored = Stored.in_file(bot.folder)
            return DefaultBot(world, bot, stored, time.monotonic())

        yield list(threads.map(started, range(len(ways_in))))


def _world(stack: ExitStack) -> World:
    return World(stack.enter_context(SimulatedAppliance()), stack.enter_context(LocalSlack()))


def _settings(world: World, way_in: WayIn) -> dict[str, str]:
    """No more than it cannot do without."""
    appliance, slack = world.appliance, world.slack
    return {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_API_URL": slack.api_url,
        "VR_HOST": appliance.host,
        "VR_USERNAME": appliance.username,
        "VR_PASSWORD": appliance.password,
        "VR_CA_FILE": appliance.ca_file,
        "APPROVERS": world.alan,
        **way_in.settings(slack),
    }


def _end(bot: InstalledBot) -> None:
    """Whether or not it has ended by itself: its pipe is closed too. What never came up is gone."""
    if bot.port:
        bot.kill()
