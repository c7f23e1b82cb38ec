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
        return f"< {self.most:g} {unit}" if self.absolute else f"≤ {self.most:g} x"


@dataclass(frozen=True)
class Line:
    """One line of the table. `against` names what the ratio is taken to."""

    measure: str
    against: str
    unit: str
    ratio: Spread
    ours: Spread
    bare: Spread
    count: str
    aims: tuple[Aim, ...] = ()

    @property
    def met(self) -> bool | None:
        """None where nothing is aimed at."""
        if not self.aims:
            return None
        return all(
            self.ours.middle < aim.most if aim.absolute else self.ratio.middle <= aim.most
            for aim in self.aims
        )

    @property
    def verdict(self) -> str:
        words = {None: "", True: "aim met", False: "aim missed"}
        return words[self.met]

    @property
    def aimed(self) -> str:
        return ", ".join(aim.text(self.unit) for aim in self.aims)


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
