"""From a signed command to its acknowledgement: stored by the real bot, against a bare no-op.

One at a time to a bot and to a bare one in turn, each of them at rest: the bot on SQLite, and on
PostgreSQL (with fsync on, unlike that of the tests). Then one right after the other, while each
that was acknowledged is being checked beside, at an appliance that refuses; and sixteen at once,
over and over: the acknowledgement that one in a hundred waits for. What a bot does behind its
acknowledgement, with the sandbox that listens to it, goes on beside on the same cores and is part
of the load; the bare bot has nothing else to do. Connections are kept. What was acknowledged must
be stored.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median, quantiles

from sandbox.appliance import Answer
from sandbox.slack.signed_requests import Courier, Delivery
from tools.bench.bare_calls import Kept
from tools.bench.figures import Aim, Line, in_turn
from tools.bench.many_at_once import milliseconds
from tools.bench.processes import BareBot, InstalledBot, wait_until_idle
from tools.bench.worlds import (
    FOR_MANY_SECONDS,
    PATIENCE_SECONDS,
    Stored,
    World,
    folder,
    postgres,
    quick_world,
)

ROUNDS = 7
COMMANDS_PER_ROUND = 30
BURSTS = 5
AT_ONCE = 16
COMMANDS_PER_BURST = 480
"""Enough for a p99."""

BARE = "bare no-op command, waitress, process_before_response"
TEXT = "some-pairing CHG0031337"


class KeptCourier(Courier):
    """Sends on one kept connection, so that making one is not what is measured."""

    def __init__(self, signing_secret: str, to: Kept) -> None:
        super().__init__(signing_secret)
        self._to = to
        self.seconds = 0.0

    def send(self, kind: str, body: bytes, headers: Mapping[str, str]) -> Delivery:
        began = time.perf_counter()
        text = self._to.call("POST", "/slack/events", headers, body)
        self.seconds = time.perf_counter() - began
        return Delivery(kind, body, dict(headers), status=200, text=text)


class Collecting(Courier):
    """Sends nothing, and keeps each whole request as text. Nobody waits at Slack for its answer,
    but what the bot says behind that has an address."""

    def __init__(self, signing_secret: str) -> None:
        super().__init__(signing_secret)
        self.requests: list[str] = []

    def send(self, kind: str, body: bytes, headers: Mapping[str, str]) -> Delivery:
        own = {"Host": "127.0.0.1", "Content-Length": str(len(body)), **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in own.items())
        self.requests.append(f"POST /slack/events HTTP/1.1\r\n{head}\r\n{body.decode()}")
        return Delivery(kind, body, own, status=200)


@dataclass(frozen=True)
class Taker:
    """A process that takes commands. `stored` is where it keeps them; None: it keeps none."""

    world: World
    pid: int
    port: int
    courier: KeptCourier
    stored: Stored | None = None

    def seconds(self) -> float:
        """To the acknowledgement of one command that finds it at rest. Returns when the refusal
        behind the acknowledgement has come too. Raises RuntimeError when it is not acknowledged."""
        slack, rita = self.world.slack, self.world.asker()
        wait_until_idle(self.pid)
        sentences = 1 if self.stored is None else 2
        expected = len(slack.ephemerals(rita)) + sentences
        slack.courier = self.courier
        delivery = slack.command(rita, TEXT, channel=self.world.channel)
        if not delivery.ok:
            raise RuntimeError(f"not acknowledged: {delivery.problem}")
        slack.wait_for(lambda: len(slack.ephemerals(rita)) >= expected, PATIENCE_SECONDS)
        return self.courier.seconds

    def burst(self, commands: int, connections: int) -> list[float]:
        """Milliseconds of each. Returns when the last one has been answered to its end."""
        slack = self.world.slack
        slack.courier = collecting = Collecting(slack.signing_secret)
        for _ in range(commands):
            slack.command(self.world.asker(), TEXT, channel=self.world.channel)
        wait_until_idle(self.pid)
        took = milliseconds(self.port, connections, collecting.requests)
        if self.stored is not None:
            self.stored.wait_until_done(FOR_MANY_SECONDS)
        return took

    def require_stored(self, commands: int) -> None:
        """Raises RuntimeError when not each of them is there exactly once."""
        found = self.stored.commands() if self.stored else 0
        if found != commands:
            raise RuntimeError(f"{commands} commands were acknowledged, and {found} are stored")


@contextmanager
def taker(world: World, process: InstalledBot, url: str = "") -> Iterator[Taker]:
    """`url`: of the database that the process keeps."""
    with process, Kept(process.port) as kept:
        courier = KeptCourier(world.slack.signing_secret, kept)
        yield Taker(world, process.pid, process.port, courier, Stored(url) if url else None)


def measure() -> list[Line]:
    with quick_world() as world, postgres() as server, ExitStack() as stack:

        def bot(url: str = "", more: Mapping[str, str] = {"REQUESTERS": world.alan}) -> Taker:
            # Where nobody but Alan may ask, commands are stored like any other and then refused by
            # Slack's word alone, without a call to the appliance.
            own = stack.enter_context(folder())
            url = url or f"sqlite:///{own}/vr-unpair.db"
            process = world.bot(own, {**more, "DATABASE_URL": url})
            return stack.enter_context(taker(world, process, url))

        bare = stack.enter_context(taker(world, BareBot(world.slack.signing_secret)))
        on_sqlite, on_postgres = bot(), bot(server.new_database())
        checking = bot(more={})
        world.appliance.fail("GET", "/pairings", Answer(403), times=None)

        alone = in_turn(ROUNDS, COMMANDS_PER_ROUND, Taker.seconds, on_sqlite, bare)
        postgres_alone = in_turn(ROUNDS, COMMANDS_PER_ROUND, Taker.seconds, on_postgres, bare)
        beside = [
            (
                median(checking.burst(COMMANDS_PER_ROUND, 1)),
                median(bare.burst(COMMANDS_PER_ROUND, 1)),
            )
            for _ in range(ROUNDS)
        ]
        bursts = [
            (on_sqlite.burst(COMMANDS_PER_BURST, AT_ONCE), bare.burst(COMMANDS_PER_BURST, AT_ONCE))
            for _ in range(BURSTS)
        ]
        commands = ROUNDS * COMMANDS_PER_ROUND
        on_sqlite.require_stored(commands + BURSTS * COMMANDS_PER_BURST)
        on_postgres.require_stored(commands)
        checking.require_stored(commands)
        _require_checked(checking, commands)
    rounds = f"medians of {ROUNDS} rounds of {COMMANDS_PER_ROUND}"
    first = "command to acknowledgement, one at a time"
    p99 = [(_p99(ours), _p99(its)) for ours, its in bursts]
    middle = [(median(ours), median(its)) for ours, its in bursts]
    count, at_once = f"{BURSTS} rounds of {COMMANDS_PER_BURST}", f"… {AT_ONCE} at once, p99"
    slow = Aim(4), Aim(100, absolute=True)
    return [
        Line.compared(first, BARE, "ms", alone, rounds, Aim(3)),
        Line.compared("… on PostgreSQL", BARE, "ms", postgres_alone, rounds, Aim(5)),
        Line.compared("… a check of each beside it", BARE, "ms", beside, rounds, Aim(5)),
        Line.compared(at_once, BARE, "ms", p99, f"p99 of {count}", *slow),
        Line.compared("… and the median", BARE, "ms", middle, f"medians of {count}"),
    ]


def _p99(values: list[float]) -> float:
    return quantiles(values, n=100)[-1]


def _require_checked(one: Taker, commands: int) -> None:
    """Raises RuntimeError when not each of them was ended by the appliance's refusal."""
    query = "SELECT count(*) FROM audit WHERE action = 'refused' AND detail LIKE '%check_failed%'"
    checked = one.stored.count(query) if one.stored else 0
    if checked != commands:
        raise RuntimeError(f"{checked} of {commands} commands were checked at the appliance")
