"""Socket Mode: from the moment that Slack falls silent to the next connection that it has greeted.

TCP stays up, so only the pings tell. The real bot at its own interval of pings, and as many bots
side by side as there are rounds. They are frozen at moments spread evenly over that interval: right
after a ping it takes an interval longer than right before the next one.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from bot.slack.receive.socket import PING_S
from tests.scenarios.way_in import OverSocket
from tools.bench.default_bots import DefaultBot, default_bots
from tools.bench.figures import Aim, Line
from tools.bench.processes import wait_until

ROUNDS = 5
PATIENCE_SECONDS = 60.0

GREETED = "slack_connected"
"""What the bot logs when Slack has said hello."""


def measure() -> list[Line]:
    with default_bots([OverSocket()] * ROUNDS) as bots, ThreadPoolExecutor(ROUNDS) as threads:
        seconds = list(threads.map(_seconds, bots, range(ROUNDS)))
    return [
        Line.compared(
            "frozen Socket Mode server to a new greeted connection",
            "the interval of pings",
            "s",
            seconds,
            [PING_S] * ROUNDS,
            f"{ROUNDS} rounds",
            (Aim(3),),
        )
    ]


def _seconds(one: DefaultBot, number: int) -> float:
    """After one whole interval of pings."""
    share = (number + 0.5) / ROUNDS
    time.sleep(max(0.0, one.connected_at + (1 + share) * PING_S - time.monotonic()))
    if _greeted(one) != 1:
        raise RuntimeError(f"it has not kept its first connection: {one.bot.lines[-5:]}")
    began = time.monotonic()
    one.world.slack.sockets.freeze()
    wait_until(lambda: _greeted(one) == 2, PATIENCE_SECONDS)
    return time.monotonic() - began


def _greeted(one: DefaultBot) -> int:
    return len(one.bot.events(GREETED))
