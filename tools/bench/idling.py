"""A minute of a bot for which there is nothing to do: the time of its processor, and its calls.

Several bots side by side, over HTTP and in Socket Mode, from when each has done all that belongs to
its start. Pings and what they keep open are no calls.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from tests.scenarios.way_in import OverHttp, OverSocket
from tools.bench.default_bots import DefaultBot, default_bots
from tools.bench.figures import Aim, Line
from tools.bench.processes import wait_until_idle
from tools.bench.worlds import PATIENCE_SECONDS

ROUNDS = 5
"""Bots of either way in: each is one."""

IDLE_SECONDS = 60.0
AGAINST = f"{IDLE_SECONDS:.0f} s with nothing open"

LAST_OF_THE_START = "/info"
"""The last call of the check at the start (`bot.operate.check_appliance`)."""


def measure() -> list[Line]:
    with default_bots([OverHttp()] * ROUNDS + [OverSocket()] * ROUNDS) as bots:
        for one in bots:
            _wait_until_settled(one)
        calls, busy = [_calls(one) for one in bots], [_cpu_seconds(one) for one in bots]
        began = time.monotonic()
        time.sleep(IDLE_SECONDS)
        seconds = time.monotonic() - began
        share = [
            100 * (_cpu_seconds(one) - before) / seconds
            for one, before in zip(bots, busy, strict=True)
        ]
        made = sum(_calls(one) - before for one, before in zip(bots, calls, strict=True))
    aim, count = (Aim(0.5, absolute=True),), f"{ROUNDS} bots"
    return [
        Line.alone("CPU of an idle bot", AGAINST, "%", share[:ROUNDS], count, aim),
        Line.alone("… in Socket Mode", AGAINST, "%", share[ROUNDS:], count, aim),
        Line.alone(
            "calls of all idle bots together, to the appliances and to Slack",
            AGAINST,
            "calls",
            [made],
            f"{len(bots)} bots",
            (Aim(0, absolute=True),),
        ),
    ]


def _wait_until_settled(one: DefaultBot) -> None:
    appliance = one.world.appliance
    appliance.wait_for(
        lambda: any(call.path == LAST_OF_THE_START for call in appliance.calls), PATIENCE_SECONDS
    )
    wait_until_idle(one.bot.pid)


def _calls(one: DefaultBot) -> int:
    return len(one.world.appliance.calls) + len(one.world.slack.calls)


def _cpu_seconds(one: DefaultBot) -> float:
    """Of all its threads, ended ones too: utime and stime of /proc/PID/stat, in ticks."""
    stat = Path(f"/proc/{one.bot.pid}/stat").read_text(encoding="utf-8")
    fields = stat.rpartition(")")[2].split()  # behind the name, which may hold anything
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
