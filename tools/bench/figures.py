"""What a measure brings: a ratio against something bare, with its spread and its aim."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


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
    """`most` the median may be, of the ratio or of the absolute value in the line's unit."""

    most: float
    absolute: bool = False

    def text(self, unit: str) -> str:
        return f"≤ {self.most:g} {unit}" if self.absolute else f"≤ {self.most:g} x"


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
        cls,
        measure: str,
        against: str,
        unit: str,
        ours: Sequence[float],
        bare: Sequence[float],
        count: str,
        aims: tuple[Aim, ...] = (),
    ) -> Self:
        """One value of each for each round; the ratio is taken round by round."""
        ratio = Spread.of_ratios(ours, bare)
        return cls(measure, against, unit, ratio, Spread.of(ours), Spread.of(bare), count, aims)

    @classmethod
    def alone(
        cls,
        measure: str,
        against: str,
        unit: str,
        ours: Sequence[float],
        count: str,
        aims: tuple[Aim, ...],
    ) -> Self:
        """Where nothing bare does the same. `against` says in words what it is held to."""
        return cls(measure, against, unit, None, Spread.of(ours), None, count, aims)

    @property
    def met(self) -> bool | None:
        """None where nothing is aimed at."""
        if not self.aims:
            return None
        return all(self._meets(aim) for aim in self.aims)

    def _meets(self, aim: Aim) -> bool:
        if aim.absolute:
            return self.ours.middle <= aim.most
        if self.ratio is None:
            raise ValueError(f"no ratio to hold against its aim: {self.measure}")
        return self.ratio.middle <= aim.most

    @property
    def verdict(self) -> str:
        words = {None: "", True: "aim met", False: "aim missed"}
        return words[self.met]

    @property
    def aimed(self) -> str:
        return ", ".join(aim.text(self.unit) for aim in self.aims)


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
