"""What a measure brings, a ratio or a figure with its spread and its aim, and the table of them."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Self, TypeVar

Place = TypeVar("Place")

Pairs = list[tuple[float, float]]
"""Milliseconds of the one and of the other, for each round."""

HEAD = ("measure", "against", "ratio", "with the bot", "bare", "of", "aim", "")

ABOUT = """\
# Measured

Written by `make bench`; what is measured and how is in `tools/bench/`. What is compared was
measured side by side in one run, in rounds that alternate. Three figures are
minimum/median/maximum; those of a ratio are of the rounds' own ratios. The ratios are what holds;
absolute times are those of one machine.
"""


@dataclass(frozen=True)
class Spread:
    """Minimum, median and maximum. Machines are noisy: one figure alone would be a story."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Raises ValueError without values."""
        return cls(min(values), statistics.median(values), max(values))

    @classmethod
    def of_ratios(cls, ours: Sequence[float], bare: Sequence[float]) -> Self:
        """Ours over bare, taken in the same round: what slows a machine down slows both."""
        return cls.of([mine / its for mine, its in zip(ours, bare, strict=True)])

    def text(self) -> str:
        return "/".join(_digits(value) for value in (self.low, self.middle, self.high))


@dataclass(frozen=True)
class Aim:
    """`most` the median may be, of the ratio or of the absolute value in the line's unit. `each`:
    the highest of all may be no more either."""

    most: float
    absolute: bool = False
    each: bool = False

    def text(self, unit: str) -> str:
        return f"{'each ' * self.each}≤ {self.most:g} {unit if self.absolute else 'x'}"


@dataclass(frozen=True)
class Line:
    """One line of the table. `against` names what the ratio is taken to; where there is nothing to
    compare with, such as for calls that must not be made at all, `ratio` and `bare` are None and
    every aim is absolute."""

    measure: str
    against: str
    unit: str
    ratio: Spread | None
    ours: Spread
    bare: Spread | None
    count: str
    aims: tuple[Aim, ...] = ()

    @classmethod
    def compared(
        cls, measure: str, against: str, unit: str, pairs: Pairs, count: str, *aims: Aim
    ) -> Self:
        """One pair for each round, ours first; the ratio is taken round by round."""
        ours, bare = zip(*pairs, strict=True)
        ratio = Spread.of_ratios(ours, bare)
        return cls(measure, against, unit, ratio, Spread.of(ours), Spread.of(bare), count, aims)

    @classmethod
    def alone(
        cls, measure: str, against: str, unit: str, ours: Sequence[float], count: str, *aims: Aim
    ) -> Self:
        """Where nothing bare does the same. `against` says in words what it is held to."""
        return cls(measure, against, unit, None, Spread.of(ours), None, count, aims)

    @property
    def met(self) -> bool | None:
        """None where nothing is aimed at."""
        return all(self._meets(aim) for aim in self.aims) if self.aims else None

    def _meets(self, aim: Aim) -> bool:
        spread = self.ours if aim.absolute else self.ratio
        if spread is None:
            raise ValueError(f"no ratio to hold against its aim: {self.measure}")
        return (spread.high if aim.each else spread.middle) <= aim.most

    @property
    def verdict(self) -> str:
        return {None: "", True: "aim met", False: "aim missed"}[self.met]

    @property
    def aimed(self) -> str:
        return ", ".join(aim.text(self.unit) for aim in self.aims)

    @property
    def times(self) -> str:
        return f"{self.ratio.text()} x" if self.ratio else ""


def in_turn(
    rounds: int, each: int, act: Callable[[Place], float], one: Place, other: Place
) -> Pairs:
    """Two that do the same, one after the other, over and over: what disturbs one disturbs both. In
    each round the medians of so many acts here and as many there. `act` returns seconds."""
    pairs: Pairs = []
    for _ in range(rounds):
        ours: list[float] = []
        its: list[float] = []
        for number in range(each):
            # Whoever comes second finds what the first one has left behind: in turn, too.
            both = ((one, ours), (other, its))
            for place, seconds in both if number % 2 == 0 else both[::-1]:
                seconds.append(act(place))
        pairs.append((1000 * statistics.median(ours), 1000 * statistics.median(its)))
    return pairs


def printed(line: Line) -> str:
    """One line for the terminal, ratio first."""
    aimed = f" (aim {line.aimed}: {line.verdict})" if line.aims else ""
    bare = f" against {line.bare.text()} {line.unit}" if line.bare else ""
    return (
        f"{line.times:>20}  {line.measure}: {line.ours.text()} {line.unit}{bare}, "
        f"{line.against}; {line.count}{aimed}"
    )


def page(lines: Sequence[Line], seconds: float) -> str:
    """The whole page of the docs."""
    rows = [_row(HEAD), _row(["---"] * len(HEAD)), *(_row(_cells(line)) for line in lines)]
    where = (
        f"Python {platform.python_version()}, slack-bolt {version('slack-bolt')}, "
        f"slack-sdk {version('slack-sdk')}, SQLAlchemy {version('sqlalchemy')}, "
        f"SQLite {sqlite3.sqlite_version}, {os.cpu_count()} cores, {platform.system()}; "
        f"the run took {seconds:.0f} s."
    )
    return "\n".join([ABOUT, *rows, "", where, ""])


def _cells(line: Line) -> Sequence[str]:
    ours = f"{line.ours.text()} {line.unit}"
    bare = f"{line.bare.text()} {line.unit}" if line.bare else ""
    return (
        line.measure, line.against, line.times, ours, bare, line.count, line.aimed, line.verdict,
    )  # fmt: skip


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
