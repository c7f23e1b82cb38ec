"""From the click on Approve to the DELETE at the appliance: with the real bot, against the calls
between the two made bare.

First with both servers on this machine, where the bot's own work is all there is; then with both as
far away as they are in life, through a proxy that delays, which the bare calls go through as well.
At last, in a bot that says each of its commits (`tools/bench/bot_that_counts.py`), those are
counted: whoever writes to Slack works beside and holds up nobody, so its commits do not count.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from tests.support.clock import wait_for
from tools.bench.bare_calls import BareCaller, bare_caller
from tools.bench.bot_that_counts import COMMITTED
from tools.bench.delaying_proxy import delayed
from tools.bench.figures import Aim, Line, Pairs
from tools.bench.processes import InstalledBot, wait_until_idle
from tools.bench.worlds import PATIENCE_SECONDS, Ports, Stored, World, folder, quick_world

ROUNDS = 8
CLICKS_PER_ROUND = 3
COUNTED = 5

SLACK_MS, APPLIANCE_MS = 40, 5
"""A round trip to either, of the far ones."""

BARE = "the same calls bare on kept connections"
PENDING = "SELECT count(*) FROM requests WHERE state = 'pending'"
BESIDE = ("poster", "whisper")
"""How the threads are named that write to Slack."""


@dataclass(frozen=True)
class Reached:
    """A bot, and the bare calls, that reach the two servers by the same way."""

    bot: InstalledBot
    bare: BareCaller

    def round(self, world: World) -> tuple[float, float]:
        """Medians, in milliseconds."""
        ours, bare = [], []
        for _ in range(CLICKS_PER_ROUND):
            ours.append(1000 * _seconds(world, self.bot))
            bare.append(1000 * self.bare.seconds_to_delete())
        return median(ours), median(bare)


def measure() -> list[Line]:
    with quick_world() as world, ExitStack() as stack:
        far = Ports(
            stack.enter_context(delayed(world.ports.appliance, APPLIANCE_MS)),
            stack.enter_context(delayed(world.ports.slack, SLACK_MS)),
        )

        def reached(at: Ports) -> Reached:
            there = {
                "SLACK_API_URL": f"http://127.0.0.1:{at.slack}/api/",
                "VR_HOST": f"127.0.0.1:{at.appliance}",
            }
            bot = stack.enter_context(world.bot(stack.enter_context(folder()), there))
            return Reached(bot, stack.enter_context(bare_caller(world, at)))

        here, there = reached(world.ports), reached(far)
        near_ms: Pairs = []
        far_ms: Pairs = []
        for _ in range(ROUNDS):
            near_ms.append(here.round(world))
            far_ms.append(there.round(world))
    rounds = f"medians of {ROUNDS} rounds of {CLICKS_PER_ROUND}"
    away = f"{SLACK_MS} ms of round trip to Slack and {APPLIANCE_MS} ms to the appliance"
    aims = (Aim(6), Aim(30, absolute=True))
    return [
        Line.compared("click to DELETE", BARE, "ms", near_ms, rounds, *aims),
        Line.compared(f"… with {away}", f"{BARE}, as far", "ms", far_ms, rounds, Aim(1.3)),
        Line.alone(
            "… commits on the way",
            "those of the threads that write to Slack left out",
            "commits",
            _commits(),
            f"{COUNTED} stories",
            Aim(6, absolute=True),
        ),
    ]


def _seconds(world: World, bot: InstalledBot) -> float:
    """Of one story, whose click finds the bot at rest, and its request pending."""
    world.slack.request_url = f"{bot.url}/slack/events"
    card = world.ask()
    stored = Stored.in_file(bot.folder)
    wait_for(lambda: stored.count(PENDING) == 1, PATIENCE_SECONDS)
    wait_until_idle(bot.pid)
    return world.play(card)


def _commits() -> list[float]:
    """Of each story, from its click to its DELETE."""
    spans: list[tuple[float, float]] = []
    with quick_world() as world, folder() as own:
        bot = world.bot(own)
        bot.module = "tools.bench.bot_that_counts"
        with bot:
            for _ in range(COUNTED):
                seconds = _seconds(world, bot)
                deleted_at = world.appliance.deletes[-1].at
                spans.append((deleted_at - seconds, deleted_at))
                Stored.in_file(own).wait_until_done()  # what is left of a story is none of the next
        made = [one for one in bot.events(COMMITTED) if not one["thread"].startswith(BESIDE)]
    return [sum(clicked <= one["at"] <= deleted for one in made) for clicked, deleted in spans]
