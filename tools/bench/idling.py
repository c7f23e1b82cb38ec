"""A minute of a bot for which there is nothing to do: the time of its processor, and its calls.

Several bots side by side, over HTTP and in Socket Mode, from when each has done all that belongs to
its start; and some for whose requests people have yet to decide. Pings and what they keep open are
no calls.
"""

from __future__ import annotations

import time

from tests.support.way_in import OverHttp, OverSocket, WayIn
from tools.bench.default_bots import DefaultBot, default_bots
from tools.bench.figures import Aim, Line
from tools.bench.processes import cpu_seconds, wait_until_idle
from tools.bench.worlds import World

BOTS = 4
"""Of each kind: with nothing open, the same in Socket Mode, with so many pending."""

PENDING = 100
IDLE_SECONDS = 60.0


def measure() -> list[Line]:
    ways_in: list[WayIn] = [*[OverHttp()] * BOTS, *[OverSocket()] * BOTS, *[OverHttp()] * BOTS]
    # No limit at either server: what is prepared would take minutes.
    with default_bots(ways_in, _prepare, calls_per_minute=None) as bots:
        for one in bots:
            wait_until_idle(one.bot.pid)
        calls, busy = [_calls(one) for one in bots], [cpu_seconds(one.bot.pid) for one in bots]
        began = time.monotonic()
        time.sleep(IDLE_SECONDS)
        seconds = time.monotonic() - began
        share = [
            100 * (cpu_seconds(one.bot.pid) - before) / seconds
            for one, before in zip(bots, busy, strict=True)
        ]
        made = [_calls(one) - before for one, before in zip(bots, calls, strict=True)]
        waiting = bots[-1].stored.count("SELECT count(*) FROM requests WHERE state = 'pending'")
    if waiting != PENDING:
        raise RuntimeError(f"{waiting} requests were pending, not {PENDING}")
    none, socket, pending = share[:BOTS], share[BOTS:-BOTS], share[-BOTS:]
    minute, count, all_bots = f"{IDLE_SECONDS:.0f} s", f"{BOTS} bots", f"{len(bots)} bots"
    low, high = Aim(0.3, absolute=True), Aim(0.5, absolute=True)
    calls_of_all = "calls of all idle bots together, to the appliances and to Slack"
    return [
        Line.alone("CPU of an idle bot, nothing open", minute, "%", none, count, low),
        Line.alone("… in Socket Mode", minute, "%", socket, count, low),
        Line.alone(f"… {PENDING} requests pending", minute, "%", pending, count, high),
        Line.alone(calls_of_all, minute, "calls", [sum(made)], all_bots, Aim(0, absolute=True)),
    ]


def _prepare(number: int, world: World) -> None:
    if number >= 2 * BOTS:
        world.ask_many(PENDING)


def _calls(one: DefaultBot) -> int:
    return len(one.world.appliance.calls) + len(one.world.slack.calls)
