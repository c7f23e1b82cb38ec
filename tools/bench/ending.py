"""What people wait for when a process ends, or a connection dies unseen.

`kill -9` of the one of two copies on PostgreSQL that holds a claim, to the other's going on. The
appliance has accepted the DELETE, and its answer dies with the process (`tests/life/kills`). From
its death to the final reply in the thread, by the other copy. It is held against the lease of the
claim, which nobody can go on before. The copies mostly wait, so all rounds run side by side.

Socket Mode: from the moment that Slack falls silent to the next connection that it has greeted. TCP
stays up, so only the pings tell. The bots are frozen at moments spread evenly over the interval of
the pings: right after a ping it takes an interval longer than right before the next one.

SIGTERM while a DELETE is on its way, and with nothing to do. The appliance has accepted the DELETE
and takes a second more for its answer. That rest of the work is not counted: what is, is the time
from the answer to the end of the process, by which the answer must be stored. One bot after the
other: an end is short, and others would be in its way.
"""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from bot.request.model import State
from bot.slack.receive.socket_mode import PING_S
from bot.worker.drive import LEASE_MS
from sandbox.appliance import Answer
from tests.life.kills.faults import AS_IT_IS
from tests.life.kills.people import Story
from tests.life.kills.rules import check_story
from tests.life.replicas.copies import Copies, copies
from tests.support.clock import wait_for
from tests.support.way_in import OverHttp, OverSocket
from tools.bench.default_bots import DefaultBot, default_bots
from tools.bench.figures import Aim, Line
from tools.bench.worlds import PATIENCE_SECONDS, folder, postgres

ROUNDS = 5
IDLE_ROUNDS = 12
"""More: a thread that sleeps through the end is a matter of luck."""

LEASE_SECONDS = LEASE_MS / 1000
REST_SECONDS = 1.0
"""Of the work in flight, after SIGTERM."""

GREETED = "slack_connected"
"""What the bot logs when Slack has said hello."""


def measure() -> list[Line]:
    rounds, soon = f"{ROUNDS} rounds", Aim(500, absolute=True)
    return [
        Line.compared(
            "kill -9 of one of two copies to the other's final reply",
            "the lease of the claim",
            "s",
            [(seconds, LEASE_SECONDS) for seconds in _takeovers()],
            rounds,
            Aim(1.2),
        ),
        Line.compared(
            "frozen Socket Mode server to a new greeted connection",
            "the interval of pings",
            "s",
            [(seconds, PING_S) for seconds in _frozen()],
            rounds,
            Aim(3),
        ),
        Line.alone(
            "SIGTERM with a DELETE in flight to the end of the process",
            "the rest of the work in flight",
            "ms",
            [1000 * _seconds_to_end() for _ in range(ROUNDS)],
            rounds,
            soon,
        ),
        Line.alone(
            "… of an idle bot",
            "nothing to finish",
            "ms",
            [1000 * _idle_seconds_to_end(0.1 * n) for n in range(IDLE_ROUNDS)],
            f"{IDLE_ROUNDS} bots",
            soon,
        ),
    ]


def _takeovers() -> list[float]:
    """Of either copy the one that sends the DELETE dies before it reads the answer."""
    deadly = AS_IT_IS.deadly("delete:received", 1)
    with ExitStack() as stack, ThreadPoolExecutor(ROUNDS) as threads:
        server, own = stack.enter_context(postgres()), stack.enter_context(folder())
        pairs = [
            stack.enter_context(
                copies(server.new_database(), own / str(n), OverHttp(), (deadly, deadly))
            )
            for n in range(ROUNDS)
        ]
        return list(threads.map(_seconds_to_take_over, pairs))


def _seconds_to_take_over(stage: Copies) -> float:
    """Raises AssertionError when the other does not go on, or not as it has to."""
    story = Story(stage)
    seconds = stage.seconds_to_take_over(story)
    seen = check_story(story)
    if (seen.state, seen.deletes) != (State.SUCCEEDED, 1):
        raise RuntimeError(f"the other copy did not go on as it has to: {seen}")
    return seconds


def _frozen() -> list[float]:
    with default_bots([OverSocket()] * ROUNDS) as bots, ThreadPoolExecutor(ROUNDS) as threads:
        return list(threads.map(_seconds_to_greet, bots, range(ROUNDS)))


def _seconds_to_greet(one: DefaultBot, number: int) -> float:
    """After whole intervals of pings."""
    share = (number + 0.5) / ROUNDS
    whole = 1 + (time.monotonic() - one.connected_at) // PING_S
    time.sleep(one.connected_at + (whole + share) * PING_S - time.monotonic())
    if _greeted(one) != 1:
        raise RuntimeError(f"it has not kept its first connection: {one.bot.lines[-5:]}")
    began = time.monotonic()
    one.world.slack.sockets.freeze()
    wait_for(lambda: _greeted(one) == 2, PATIENCE_SECONDS, every=0.005)
    return time.monotonic() - began


def _greeted(one: DefaultBot) -> int:
    return len(one.bot.events(GREETED))


def _seconds_to_end() -> float:
    """Raises RuntimeError when it ended badly, or too early."""
    with default_bots([OverHttp()]) as (one,):
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
        wait_for(lambda: not bot.alive, PATIENCE_SECONDS, every=0.005)
        seconds = time.monotonic() - answered
        code, accepted = bot.stop(), one.stored.accepted()
        if code != 0 or accepted != 1:
            raise RuntimeError(f"exit code {code}, {accepted} answers stored: {bot.lines[-5:]}")
        return seconds


def _idle_seconds_to_end(after: float) -> float:
    """`after` some seconds of a life. Raises RuntimeError when it ended badly."""
    with default_bots([OverHttp()]) as (one,):
        time.sleep(after)
        told = time.monotonic()
        os.kill(one.bot.pid, signal.SIGTERM)
        wait_for(lambda: not one.bot.alive, PATIENCE_SECONDS, every=0.005)
        seconds = time.monotonic() - told
        code = one.bot.stop()
        if code != 0:
            raise RuntimeError(f"exit code {code}: {one.bot.lines[-5:]}")
        return seconds
