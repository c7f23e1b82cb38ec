"""SIGTERM while a DELETE is on its way, and with nothing to do, to the end of the process.

The appliance has accepted the DELETE and takes a second more for its answer. That rest of the work
is not counted: what is, is the time from the answer to the end of the process, by which the answer
must be stored. One bot after the other: an end is short, and others would be in its way.
"""

from __future__ import annotations

import os
import signal
import time

from bot.sandbox.appliance import Answer
from tests.scenarios.way_in import OverHttp
from tools.bench.default_bots import DefaultBot, default_bots
from tools.bench.figures import Aim, Line
from tools.bench.processes import wait_until
from tools.bench.worlds import PATIENCE_SECONDS

ROUNDS = 5
IDLE_ROUNDS = 12
"""More: a thread that sleeps through the end is a matter of luck."""

REST_SECONDS = 1.0
"""Of the work in flight, after SIGTERM."""


def measure() -> list[Line]:
    ms: list[float] = []
    for _ in range(ROUNDS):
        with default_bots([OverHttp()]) as (one,):
            ms.append(1000 * _seconds(one))
    return [
        Line.alone(
            "SIGTERM with a DELETE in flight to the end of the process",
            "the rest of the work in flight",
            "ms",
            ms,
            f"{ROUNDS} rounds",
            (Aim(500, absolute=True),),
        ),
        Line.alone(
            "… of an idle bot",
            "nothing to finish",
            "ms",
            [1000 * _idle_seconds(0.1 * n) for n in range(IDLE_ROUNDS)],
            f"{IDLE_ROUNDS} bots",
            (Aim(500, absolute=True),),
        ),
    ]


def _idle_seconds(after: float) -> float:
    """`after` some seconds of a life. Raises RuntimeError when it ended badly."""
    with default_bots([OverHttp()]) as (one,):
        time.sleep(after)
        told = time.monotonic()
        os.kill(one.bot.pid, signal.SIGTERM)
        wait_until(lambda: not one.bot.alive, PATIENCE_SECONDS)
        seconds = time.monotonic() - told
        code = one.bot.stop()
        if code != 0:
            raise RuntimeError(f"exit code {code}: {one.bot.lines[-5:]}")
        return seconds


def _seconds(one: DefaultBot) -> float:
    """Raises RuntimeError when it ended badly, or too early."""
    world, bot = one.world, one.bot
    card = world.ask()
    world.appliance.on_delete(Answer(wire="hang", accept_first=True))
    world.slack.click(world.alan, card.message, "unpair_approve")
    world.delete_after(0, card.pairing)
    os.kill(bot.pid, signal.SIGTERM)
    time.sleep(REST_SECONDS)
    if not bot.alive:
        raise RuntimeError(f"it ended with a DELETE in flight: {bot.lines[-5:]}")
    answered = time.monotonic()
    world.appliance.release_hanging()
    wait_until(lambda: not bot.alive, PATIENCE_SECONDS)
    seconds = time.monotonic() - answered
    code, accepted = bot.stop(), one.stored.accepted()
    if code != 0 or accepted != 1:
        raise RuntimeError(f"exit code {code}, {accepted} answers stored: {bot.lines[-5:]}")
    return seconds
