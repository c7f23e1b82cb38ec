"""What a long history costs: 100,000 ended requests in the store against none, on SQLite.

Two real bots take commands in turn, one on each store; looks and claims are made on each in turn;
and `vr-unpair requests --limit` is run on each in turn, as people type it, held against a store of
just as many requests as it shows, since to draw twenty lines takes longer than to say that there
are none. Without a limit it prints every request there is, so it takes as long as the list is.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from bot.sandbox.appliance import SimulatedAppliance
from bot.sandbox.slack import LocalSlack
from tools.bench import long_store
from tools.bench.claiming import Claimer
from tools.bench.databases import Stored
from tools.bench.figures import Aim, Line
from tools.bench.in_turn import Pairs, in_turn
from tools.bench.kept_connection import Kept
from tools.bench.processes import wait_until_idle
from tools.bench.requests_command import seconds_as_a_process, seconds_inside
from tools.bench.takers import KeptCourier, Taker
from tools.bench.worlds import World

ENDED = 100_000
SHOWN = 20
ROUNDS = 7
COMMANDS_PER_ROUND = 30
CLAIMS_PER_ROUND = 100
LISTINGS_PER_ROUND = 3


def measure() -> list[Line]:
    with _stores(ENDED, SHOWN, 0) as (long, few, none):
        # In this order, since the first ones change nothing and find the stores as they were made.
        return [
            *_command_lines(long, few),
            *_worker_lines(long, none),
            _acknowledged(long, none),
        ]


@contextmanager
def _stores(*ended: int) -> Iterator[list[Path]]:
    """A folder with a store for each of these numbers."""
    with tempfile.TemporaryDirectory(prefix="vr-unpair-bench-") as root:
        folders = [Path(root) / f"{many}-ended" for many in ended]
        for folder, many in zip(folders, ended, strict=True):
            folder.mkdir()
            long_store.make(folder, many)
        yield folders


def _line(measure: str, pairs: Pairs, each: int, against: str = "the same without any") -> Line:
    ours, its = zip(*pairs, strict=True)
    count = f"medians of {ROUNDS} rounds of {each}" if each > 1 else f"{ROUNDS} rounds"
    return Line.compared(measure, against, "ms", ours, its, count, (Aim(1.1),))


def _command_lines(long: Path, few: Path) -> Iterator[Line]:
    limit = ("--limit", str(SHOWN))
    as_few = f"the same with {SHOWN} requests"

    def typed(folder: Path) -> float:
        return seconds_as_a_process(long_store.url(folder), folder, *limit)

    def inside(folder: Path) -> float:
        return seconds_inside(long_store.url(folder), *limit)

    whole = in_turn(ROUNDS, LISTINGS_PER_ROUND, typed, long, few)
    first = f"`vr-unpair requests {' '.join(limit)}` with {ENDED:,} ended requests in the store"
    yield _line(first, whole, LISTINGS_PER_ROUND, as_few)
    queries = in_turn(ROUNDS, LISTINGS_PER_ROUND, inside, long, few)
    yield _line("… and without the start of Python", queries, LISTINGS_PER_ROUND, as_few)


def _worker_lines(long: Path, none: Path) -> Iterator[Line]:
    with (
        closing(Claimer(long_store.url(long))) as many,
        closing(Claimer(long_store.url(none))) as no,
    ):
        looks = in_turn(ROUNDS, CLAIMS_PER_ROUND, Claimer.seconds_to_look, many, no)
        yield _line("… a look for work that finds none", looks, CLAIMS_PER_ROUND)
        for one in (many, no):
            one.add_one()
        claims = in_turn(ROUNDS, CLAIMS_PER_ROUND, Claimer.seconds_to_claim, many, no)
        for one in (many, no):
            one.remove_it()
        yield _line("… a claim and its release", claims, CLAIMS_PER_ROUND)


def _acknowledged(long: Path, none: Path) -> Line:
    with ExitStack() as stack:
        appliance = stack.enter_context(SimulatedAppliance(calls_per_minute=None))
        slack = stack.enter_context(LocalSlack(rate_limits=False))
        world = World(appliance, slack)

        def taker(folder: Path) -> Taker:
            # As in takers.py: Rita may not ask, so that no command costs the appliance's calls.
            bot = stack.enter_context(world.bot(folder, {"REQUESTERS": world.alan}))
            kept = stack.enter_context(Kept("127.0.0.1", bot.port))
            courier = KeptCourier(slack.signing_secret, kept)
            return Taker(bot.pid, bot.port, courier, Stored(long_store.url(folder)))

        takers = taker(long), taker(none)

        def command(to: Taker) -> float:
            for one in takers:  # what the other one still does would be in its way
                wait_until_idle(one.pid)
            return to.seconds_to_acknowledge(world)

        acks = in_turn(ROUNDS, COMMANDS_PER_ROUND, command, *takers)
    return _line("… command to acknowledgement", acks, COMMANDS_PER_ROUND)
