"""The processes that take commands: two real bots and two bare ones, side by side."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.sandbox.appliance import SimulatedAppliance
from bot.sandbox.bot_process import BotProcess
from bot.sandbox.slack import LocalSlack
from bot.sandbox.slack.signed_requests import Courier, Delivery
from tools.bench.databases import Stored, postgres
from tools.bench.kept_connection import Kept
from tools.bench.processes import BareBot, wait_until_idle
from tools.bench.worlds import PATIENCE_SECONDS, World


class KeptCourier(Courier):
    """Sends on one kept connection, so that making one is not what is measured."""

    def __init__(self, signing_secret: str, to: Kept) -> None:
        super().__init__(signing_secret)
        self._to = to

    def send(self, kind: str, body: bytes, headers: Mapping[str, str]) -> Delivery:
        began = time.perf_counter()
        text = self._to.call("POST", "/slack/events", headers, body)
        seconds = time.perf_counter() - began
        return Delivery(kind, body, dict(headers), status=200, text=text, seconds=seconds)


@dataclass(frozen=True)
class Taker:
    """`stored` is where it keeps its commands; None: it keeps none."""

    pid: int
    port: int
    courier: KeptCourier
    stored: Stored | None = None

    @property
    def sentences(self) -> int:
        """What Rita reads for one command: the acknowledgement, and the bot's refusal after it."""
        return 1 if self.stored is None else 2

    def seconds_to_acknowledge(self, world: World) -> float:
        """Of one command that finds it at rest. Returns when the refusal behind the acknowledgement
        has come too. Raises RuntimeError when it is not acknowledged."""
        slack, rita = world.slack, world.rita
        wait_until_idle(self.pid)
        expected = len(slack.ephemerals(rita)) + self.sentences
        slack.courier = self.courier
        delivery = slack.command(rita, "some-pairing CHG0031337", channel=world.channel)
        if not delivery.ok:
            raise RuntimeError(f"not acknowledged: {delivery.problem}")
        slack.wait_for(lambda: len(slack.ephemerals(rita)) >= expected, PATIENCE_SECONDS)
        return delivery.seconds


@dataclass(frozen=True)
class Takers:
    on_sqlite: Taker
    on_postgres: Taker
    bare: Taker
    bare_default: Taker


@contextmanager
def takers() -> Iterator[tuple[World, Takers]]:
    """All at rest from here on, but for what is sent to them."""
    with ExitStack() as stack:
        appliance = stack.enter_context(SimulatedAppliance(calls_per_minute=None))
        slack = stack.enter_context(LocalSlack(rate_limits=False))
        server = stack.enter_context(postgres())
        world = World(appliance, slack)

        def taker(process: BotProcess | BareBot, stored: Stored | None = None) -> Taker:
            stack.enter_context(process)
            kept = stack.enter_context(Kept("127.0.0.1", process.port))
            courier = KeptCourier(slack.signing_secret, kept)
            return Taker(process.pid, process.port, courier, stored)

        def bot(url: str) -> Taker:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="vr-unpair-bench-"))
            url = url or f"sqlite:///{folder}/vr-unpair.db"
            # Rita may not ask: her commands are stored like any other and then refused by Slack's
            # word alone, so that hundreds of them do not use up the appliance's calls.
            settings = {"REQUESTERS": world.alan, "DATABASE_URL": url}
            return taker(world.bot(Path(folder), settings), Stored(url))

        yield (
            world,
            Takers(
                on_sqlite=bot(""),
                on_postgres=bot(server.new_database()),
                bare=taker(BareBot(slack.signing_secret)),
                bare_default=taker(BareBot(slack.signing_secret, "default")),
            ),
        )
