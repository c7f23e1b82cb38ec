"""From a signed command to its acknowledgement: stored by the real bot, against a bare no-op."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from bot.sandbox.appliance import SimulatedAppliance
from bot.sandbox.slack import LocalSlack
from bot.sandbox.slack.deliver import Courier, Delivery
from tests.bench.figures import Aim, Line, Spread
from tests.bench.kept_connection import Kept
from tests.bench.processes import BareBot, wait_until_idle
from tests.bench.worlds import PATIENCE_SECONDS, World

ROUNDS = 7
COMMANDS_PER_ROUND = 30


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


def measure() -> list[Line]:
    with (
        SimulatedAppliance(calls_per_minute=None) as appliance,
        LocalSlack(rate_limits=False) as slack,
        tempfile.TemporaryDirectory(prefix="vr-unpair-bench-") as folder,
    ):
        world = World(appliance, slack)
        # Rita may not ask: her commands are stored like any other and then refused by Slack's word
        # alone, so that hundreds of them do not use up the appliance's calls.
        settings = {"REQUESTERS": world.alan}
        with (
            world.bot(Path(folder), settings) as bot,
            BareBot(slack.signing_secret) as bare,
            Kept("127.0.0.1", bot.port) as to_bot,
            Kept("127.0.0.1", bare.port) as to_bare,
        ):
            ours = KeptCourier(slack.signing_secret, to_bot)
            its = KeptCourier(slack.signing_secret, to_bare)
            medians = [_round(world, (ours, bot.pid), (its, bare.pid)) for _ in range(ROUNDS)]
    bot_ms, bare_ms = [m[0] for m in medians], [m[1] for m in medians]
    return [
        Line(
            measure="command to acknowledgement, one at a time",
            against="bare no-op command, waitress, process_before_response",
            unit="ms",
            ratio=Spread.of_ratios(bot_ms, bare_ms),
            ours=Spread.of(bot_ms),
            bare=Spread.of(bare_ms),
            count=f"medians of {ROUNDS} rounds of {COMMANDS_PER_ROUND}",
            aims=(Aim(3.5),),
        )
    ]


def _round(
    world: World, ours: tuple[KeptCourier, int], its: tuple[KeptCourier, int]
) -> tuple[float, float]:
    """The medians in ms. One to the bot, one to the bare: each finds its process at rest."""
    bot_ms, bare_ms = [], []
    for _ in range(COMMANDS_PER_ROUND):
        shown = len(world.slack.ephemerals(world.rita))
        bot_ms.append(_command(world, *ours))
        # The acknowledgement's own words, and the worker's refusal after it.
        world.slack.wait_for(
            lambda shown=shown: len(world.slack.ephemerals(world.rita)) >= shown + 2,  # type: ignore[misc]
            PATIENCE_SECONDS,
        )
        bare_ms.append(_command(world, *its))
    return statistics.median(bot_ms), statistics.median(bare_ms)


def _command(world: World, courier: KeptCourier, pid: int) -> float:
    wait_until_idle(pid)
    world.slack.courier = courier
    delivery = world.slack.command(world.rita, "some-pairing CHG0031337", channel=world.channel)
    if not delivery.ok:
        raise RuntimeError(f"not acknowledged: {delivery.problem}")
    return 1000 * delivery.seconds
