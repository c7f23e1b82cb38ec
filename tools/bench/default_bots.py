"""Real bots side by side, each with its own appliance and Slack, and all settings by default."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from sandbox.appliance import SimulatedAppliance
from sandbox.slack import LocalSlack
from tests.support.way_in import WayIn
from tools.bench.processes import InstalledBot
from tools.bench.worlds import Stored, World, folder


@dataclass(frozen=True)
class DefaultBot:
    """On SQLite. `connected_at`: about when Slack could reach it, by `time.monotonic`."""

    world: World
    bot: InstalledBot
    stored: Stored
    connected_at: float


@contextmanager
def default_bots(
    ways_in: Sequence[WayIn],
    prepare: Callable[[int, World], None] | None = None,
    **appliance: Any,
) -> Iterator[list[DefaultBot]]:
    """One for each way in, started at the same time, each with an appliance and a Slack of its own,
    which keep the vendors' limits. Before that `prepare`, for each,
    with a bot on the same database that keeps no budget (`SETTINGS`) and has ended afterwards."""
    with ExitStack() as stack, ThreadPoolExecutor(len(ways_in)) as threads:
        worlds = [
            World(
                stack.enter_context(SimulatedAppliance(**appliance)),
                stack.enter_context(LocalSlack(rate_limits=not appliance)),
            )
            for _ in ways_in
        ]
        folders = [stack.enter_context(folder()) for _ in ways_in]

        def started(number: int) -> DefaultBot:
            world, way_in, own = worlds[number], ways_in[number], folders[number]
            stored = Stored.in_file(own)
            if prepare:
                with world.bot(own) as quick:
                    world.slack.request_url = f"{quick.url}/slack/events"
                    prepare(number, world)
                world.slack.request_url = ""
                stored.forget_calls()
            before = len(world.appliance.calls)
            bot = InstalledBot(_settings(world, way_in), own)
            bot.start()
            stack.callback(bot.kill)  # where it has ended by itself, too: its pipe is closed
            way_in.connect(world.slack, bot)
            connected_at = time.monotonic()
            world.wait_until_started(bot, before)
            return DefaultBot(world, bot, stored, connected_at)

        yield list(threads.map(started, range(len(ways_in))))


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
