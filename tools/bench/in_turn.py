"""Two that do the same, one after the other, over and over: what disturbs one disturbs both."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import TypeVar

Place = TypeVar("Place")

Pairs = list[tuple[float, float]]
"""Milliseconds of the one and of the other, for each round."""


def in_turn(
    rounds: int, each: int, act: Callable[[Place], float], one: Place, other: Place
) -> Pairs:
    """In each round the medians of so many acts here and as many there. `act` returns seconds."""
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
