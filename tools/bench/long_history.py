"""What a long history costs: 100,000 ended requests in the store against none, on SQLite.

Bots start on each in turn, and take commands in turn; looks and claims are made on each in turn;
and what lists requests (the command line with a limit, the Home tab) is run on each in turn, held
against a store of just as many requests as it shows, since to draw twenty lines takes longer than
to say that there are none. Without a limit it prints every request there is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from typer.testing import CliRunner

from bot import cli
from bot.request.model import State
from bot.store.database import Database
from bot.store.queries import Overview
from bot.store.queues import Queue
from bot.store.requests import Requests
from bot.worker.lookup_threads import ASKED_MOST, ENDED_MOST
from tests.store.samples import born
from tools.bench import long_store
from tools.bench.acknowledging import Taker, taker
from tools.bench.figures import Aim, Line, Pairs, in_turn
from tools.bench.processes import seconds_to_ready, wait_until_idle
from tools.bench.worlds import World, folder, quick_world

ENDED = 100_000
SHOWN = 20
LEASE_MS = 60_000
ROUNDS = 7
COMMANDS_PER_ROUND = 30
CLAIMS_PER_ROUND = 100
LISTINGS_PER_ROUND = 20


def measure() -> list[Line]:
    with folder() as root, quick_world() as world:
        long, few, none = (_store(root, many) for many in (ENDED, SHOWN, 0))
        # In this order, since the first ones change nothing and find the stores as they were made.
        return [
            *_listings(long, few),
            *_claims(long, none),
            _acknowledged(world, long, none),
            _started(world, long, none),
        ]


def _store(root: Path, ended: int) -> Path:
    own = root / f"{ended}-ended"
    own.mkdir()
    long_store.make(own, ended)
    return own


def _line(measure: str, pairs: Pairs, each: int, most: float, against: str = "") -> Line:
    count = f"medians of {ROUNDS} rounds of {each}" if each > 1 else f"{ROUNDS} rounds"
    return Line.compared(measure, against or "the same without", "ms", pairs, count, Aim(most))


def _listings(long: Path, few: Path) -> Iterator[Line]:
    def command_line(own: Path) -> float:
        environment = {"DATABASE_URL": long_store.url(own)}
        limited = ["requests", "--limit", str(SHOWN)]
        began = time.perf_counter()
        done = CliRunner().invoke(cli.app, limited, env=environment)
        seconds = time.perf_counter() - began
        if done.exit_code:
            raise RuntimeError(f"`requests` ended with {done.exit_code}: {done.output}")
        return seconds

    each, against = LISTINGS_PER_ROUND, f"the same with {SHOWN} requests"
    name = (
        f"{ENDED:,} ended requests: `vr-unpair requests --limit {SHOWN}`, Python's start left out"
    )
    yield _line(name, in_turn(ROUNDS, each, command_line, long, few), each, 1.05, against)
    with (
        closing(Database(long_store.url(long))) as long_db,
        closing(Database(long_store.url(few))) as few_db,
    ):
        home = in_turn(ROUNDS, each, _home, Overview(long_db), Overview(few_db))
    yield _line("… what the Home tab lists", home, each, 1.05, against)


def _home(overview: Overview) -> float:
    """Raises RuntimeError when there was nothing to list."""
    (latest,) = overview.ended(1)
    began = time.perf_counter()
    overview.unfinished()
    ended = overview.ended(ENDED_MOST)
    asked = overview.asked_by(latest.requester, ASKED_MOST)
    seconds = time.perf_counter() - began
    if (len(ended), len(asked)) != (ENDED_MOST, ASKED_MOST):
        raise RuntimeError(f"{len(ended)} and {len(asked)} requests were listed")
    return seconds


def _claims(long: Path, none: Path) -> Iterator[Line]:
    with _claimed(long) as many, _claimed(none) as no:
        looks = in_turn(ROUNDS, CLAIMS_PER_ROUND, _look, many, no)
        yield _line("… a look for work that finds none", looks, CLAIMS_PER_ROUND, 1.05)
        for one in (many, no):  # a request that waits for a decision beside all that have ended
            born(one.db, 1, State.PENDING)
        claims = in_turn(ROUNDS, CLAIMS_PER_ROUND, _claim, many, no)
        yield _line("… a claim and its release", claims, CLAIMS_PER_ROUND, 1.05)
        for one in (many, no):  # a bot that is started could do nothing with it
            with one.db.write() as connection:
                connection.exec_driver_sql("DELETE FROM requests WHERE due_at IS NOT NULL")


@contextmanager
def _claimed(own: Path) -> Iterator[Requests]:
    """The worker's side of a store, in this process, without a bot on it."""
    with closing(Database(long_store.url(own))) as db:
        yield Requests(db=db, lease_ms=LEASE_MS)


def _look(store: Requests) -> float:
    """What the threads of all queues ask at each wake, where there is nothing to do. Raises
    RuntimeError when there was something."""
    began = time.perf_counter()
    found: list[object] = [store.event_without_row()]
    for queue in Queue:
        found.append(store.claim(queue, wait_s=1e-6))
    seconds = time.perf_counter() - began
    if any(one is not None for one in found):
        raise RuntimeError(f"there was something to do: {found}")
    return seconds


def _claim(store: Requests) -> float:
    """The request that waits, claimed and released. Raises RuntimeError when there is none."""
    began = time.perf_counter()
    claim = store.claim(Queue.DECIDE)
    if claim is None:
        raise RuntimeError("a request that is due was not claimed")
    store.release(claim, due_at=0)
    return time.perf_counter() - began


def _acknowledged(world: World, long: Path, none: Path) -> Line:
    def started(own: Path) -> AbstractContextManager[Taker]:
        # As in acknowledging.py: Rita may not ask, so that no command calls the appliance.
        bot = world.bot(own, {"REQUESTERS": world.alan})
        return taker(world, bot, long_store.url(own))

    with started(long) as many, started(none) as no:

        def command(to: Taker) -> float:
            for one in (many, no):  # what the other one still does would be in its way
                wait_until_idle(one.pid)
            return to.seconds()

        acks = in_turn(ROUNDS, COMMANDS_PER_ROUND, command, many, no)
    return _line("… command to acknowledgement", acks, COMMANDS_PER_ROUND, 1.05)


def _started(world: World, long: Path, none: Path) -> Line:
    def start(own: Path) -> float:
        bot = world.bot(own)
        try:
            return seconds_to_ready(bot)
        finally:
            bot.stop()

    return _line("… start to /readyz", in_turn(ROUNDS, 1, start, long, none), 1, 1.1)
