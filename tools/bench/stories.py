"""Start, memory, the times from click to DELETE and to answer: whole stories with the real bot."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from statistics import median

from bot.sandbox.appliance import SimulatedAppliance
from bot.sandbox.bot_process import BotProcess
from bot.sandbox.slack import LocalSlack
from tools.bench.bare_caller import BareCaller, bare_caller
from tools.bench.figures import Aim, Line, Spread
from tools.bench.processes import BareBot, resident_mb, seconds_to_ready
from tools.bench.worlds import TASK_SECONDS, Card, World

ROUNDS = 8
STORIES_AT_ONCE = (1, 2)
"""Cards that stand before the first of them is clicked: after one story the memory is taken."""

BARE_BOT = "bare Bolt with requests on waitress"
BARE_CALLS = "the same calls bare on kept connections"
BARE_CALL = "one bare Web API call on a kept connection"


@dataclass
class Clicks:
    """Milliseconds after each click of one round; bare: of all calls, and of the first one."""

    to_delete: list[float] = field(default_factory=list)
    to_answer: list[float] = field(default_factory=list)


@dataclass
class Taken:
    """What the rounds brought: MB, and milliseconds."""

    bare_mb: list[float] = field(default_factory=list)
    first_mb: list[float] = field(default_factory=list)
    again_mb: list[float] = field(default_factory=list)
    story_mb: list[float] = field(default_factory=list)
    bare_start: list[float] = field(default_factory=list)
    first_start: list[float] = field(default_factory=list)
    again_start: list[float] = field(default_factory=list)
    clicks: list[Clicks] = field(default_factory=list)
    bare: list[Clicks] = field(default_factory=list)


def measure() -> list[Line]:
    taken = Taken()
    with (
        SimulatedAppliance(task_seconds=TASK_SECONDS, calls_per_minute=None) as appliance,
        LocalSlack(rate_limits=False) as slack,
    ):
        world = World(appliance, slack)
        with bare_caller(world) as bare:
            for _ in range(ROUNDS):
                _round(world, bare, taken)
    return _lines(taken)


def _round(world: World, bare: BareCaller, taken: Taken) -> None:
    with tempfile.TemporaryDirectory(prefix="vr-unpair-bench-") as folder:
        bare_bot = BareBot(world.slack.signing_secret)
        try:
            taken.bare_start.append(1000 * seconds_to_ready(bare_bot.start, lambda: bare_bot.port))
            taken.bare_mb.append(resident_mb(bare_bot.pid))
        finally:
            bare_bot.stop()
        with _started(world.bot(Path(folder)), taken.first_start, taken.first_mb):
            pass
        with _started(world.bot(Path(folder)), taken.again_start, taken.again_mb) as bot:
            world.slack.request_url = f"{bot.url}/slack/events"
            clicks, bare_clicks = Clicks(), Clicks()
            for at_once in STORIES_AT_ONCE:
                cards = [world.ask() for _ in range(at_once)]
                for card in cards:
                    _story(world, card, clicks)
                    seconds = bare.seconds()
                    bare_clicks.to_delete.append(1000 * seconds.to_delete)
                    bare_clicks.to_answer.append(1000 * seconds.one_call)
                if at_once == 1:
                    taken.story_mb.append(resident_mb(bot.pid))
            taken.clicks.append(clicks)
            taken.bare.append(bare_clicks)


def _story(world: World, card: Card, clicks: Clicks) -> None:
    clicked_at = time.time()
    clicks.to_delete.append(1000 * world.seconds_from_click_to_delete(card))
    world.wait_for_the_end(card)
    clicks.to_answer.append(1000 * world.seconds_from_click_to_answer(card, clicked_at))


@contextmanager
def _started(bot: BotProcess, start_ms: list[float], mb: list[float]) -> Iterator[BotProcess]:
    try:
        start_ms.append(1000 * seconds_to_ready(bot.start, lambda: bot.port))
        mb.append(resident_mb(bot.pid))
        yield bot
    finally:
        bot.stop()


def _lines(t: Taken) -> list[Line]:
    rounds = f"{ROUNDS} rounds"
    mb = (Aim(75, absolute=True), Aim(1.8))
    return [
        Line.compared("memory after start", BARE_BOT, "MB", t.again_mb, t.bare_mb, rounds, mb),
        Line.compared(
            "… a start that makes the database", BARE_BOT, "MB", t.first_mb, t.bare_mb, rounds
        ),
        Line.compared("… and one whole story", BARE_BOT, "MB", t.story_mb, t.bare_mb, rounds),
        Line.compared(
            "start to /readyz", BARE_BOT, "ms", t.again_start, t.bare_start, rounds, (Aim(2.5),)
        ),
        Line.compared(
            "… a start that makes the database",
            BARE_BOT,
            "ms",
            t.first_start,
            t.bare_start,
            rounds,
        ),
        _click_line(
            "click to DELETE",
            BARE_CALLS,
            [c.to_delete for c in t.clicks],
            [c.to_delete for c in t.bare],
            (Aim(50, absolute=True), Aim(3)),
        ),
        _click_line(
            "click to the card's answer",
            BARE_CALL,
            [c.to_answer for c in t.clicks],
            [c.to_answer for c in t.bare],
            (Aim(3),),
        ),
    ]


def _click_line(
    measure: str,
    against: str,
    ours: list[list[float]],
    bare: list[list[float]],
    aims: tuple[Aim, ...],
) -> Line:
    """The ratio is of the medians of a round, the absolute times are of all stories."""
    all_ours, all_bare = list(chain(*ours)), list(chain(*bare))
    return Line(
        measure=measure,
        against=against,
        unit="ms",
        ratio=Spread.of_ratios([median(o) for o in ours], [median(b) for b in bare]),
        ours=Spread.of(all_ours),
        bare=Spread.of(all_bare),
        count=f"{len(all_ours)} stories in {ROUNDS} rounds",
        aims=aims,
    )
