"""Start, memory, and the time from click to DELETE: whole stories with the real bot."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from statistics import median

from bot.sandbox.appliance import SimulatedAppliance
from bot.sandbox.bot_process import BotProcess
from bot.sandbox.slack import LocalSlack
from tests.bench.figures import Aim, Line, Spread
from tests.bench.processes import ROOT, BareBot, resident_mb, seconds_to_ready
from tests.bench.worlds import TASK_SECONDS, World

ROUNDS = 8
STORIES_AT_ONCE = (1, 2)
"""Cards that stand before the first of them is clicked: after one story the memory is taken."""

BARE_BOT = "bare Bolt with requests on waitress"
BARE_CALLS = "the same calls bare on kept connections"


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
    click: list[list[float]] = field(default_factory=list)
    bare_click: list[list[float]] = field(default_factory=list)


def measure() -> list[Line]:
    taken = Taken()
    with (
        SimulatedAppliance(task_seconds=TASK_SECONDS, calls_per_minute=None) as appliance,
        LocalSlack(rate_limits=False) as slack,
    ):
        world = World(appliance, slack)
        with _bare_calls(world) as bare:
            for _ in range(ROUNDS):
                _round(world, bare, taken)
    return _lines(taken)


def _round(world: World, bare: BareCalls, taken: Taken) -> None:
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
            click: list[float] = []
            bare_click: list[float] = []
            for at_once in STORIES_AT_ONCE:
                cards = [world.ask() for _ in range(at_once)]
                for card in cards:
                    click.append(1000 * world.seconds_from_click_to_delete(card))
                    world.wait_for_the_end(card)
                    bare_click.append(1000 * bare.seconds_to_delete())
                if at_once == 1:
                    taken.story_mb.append(resident_mb(bot.pid))
            taken.click.append(click)
            taken.bare_click.append(bare_click)


@contextmanager
def _started(bot: BotProcess, start_ms: list[float], mb: list[float]) -> Iterator[BotProcess]:
    try:
        start_ms.append(1000 * seconds_to_ready(bot.start, lambda: bot.port))
        mb.append(resident_mb(bot.pid))
        yield bot
    finally:
        bot.stop()


class BareCalls:
    """`bare_calls.py` as a process, for one world."""

    def __init__(self, world: World, process: subprocess.Popen[str]) -> None:
        self._world, self._process = world, process
        appliance, slack = world.appliance, world.slack
        where = {
            "appliance": appliance.host,
            "base_path": appliance.base_path,
            "ca_file": appliance.ca_file,
            "username": appliance.username,
            "password": appliance.password,
            "slack_port": int(slack.base_url.rpartition(":")[2]),
            "token": slack.bot_token,
            "user": world.alan,
        }
        self._tell(json.dumps(where))

    def seconds_to_delete(self) -> float:
        pairing = self._world.pairing()
        before = len(self._world.appliance.deletes)
        began = float(self._tell(pairing))
        return self._world.delete_after(before, pairing) - began

    def _tell(self, line: str) -> str:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(line + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the bare calls ended with {process.wait()}")
        return answer


@contextmanager
def _bare_calls(world: World) -> Iterator[BareCalls]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.bare_calls"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield BareCalls(world, process)  # its end is the end of its stdin


def _lines(t: Taken) -> list[Line]:
    rounds = f"{ROUNDS} rounds"
    mb = (Aim(75, absolute=True), Aim(1.8))
    return [
        _line("memory after start", BARE_BOT, "MB", t.again_mb, t.bare_mb, rounds, mb),
        _line("… a start that makes the database", BARE_BOT, "MB", t.first_mb, t.bare_mb, rounds),
        _line("… and one whole story", BARE_BOT, "MB", t.story_mb, t.bare_mb, rounds),
        _line("start to /readyz", BARE_BOT, "ms", t.again_start, t.bare_start, rounds, (Aim(2.5),)),
        _line(
            "… a start that makes the database",
            BARE_BOT,
            "ms",
            t.first_start,
            t.bare_start,
            rounds,
        ),
        _click_line(t.click, t.bare_click),
    ]


def _click_line(ours: list[list[float]], bare: list[list[float]]) -> Line:
    """The ratio is of the medians of a round, the absolute times are of all stories."""
    all_ours, all_bare = list(chain(*ours)), list(chain(*bare))
    return Line(
        measure="click to DELETE",
        against=BARE_CALLS,
        unit="ms",
        ratio=Spread.of_ratios([median(o) for o in ours], [median(b) for b in bare]),
        ours=Spread.of(all_ours),
        bare=Spread.of(all_bare),
        count=f"{len(all_ours)} stories in {ROUNDS} rounds",
        aims=(Aim(50, absolute=True), Aim(3)),
    )


def _line(
    measure: str,
    against: str,
    unit: str,
    ours: list[float],
    bare: list[float],
    count: str,
    aims: tuple[Aim, ...] = (),
) -> Line:
    return Line(
        measure=measure,
        against=against,
        unit=unit,
        ratio=Spread.of_ratios(ours, bare),
        ours=Spread.of(ours),
        bare=Spread.of(bare),
        count=count,
        aims=aims,
    )
