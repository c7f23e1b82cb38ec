"""One clock that only the test turns, and one way to wait for what a real process does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE_SECONDS = 60.0
"""For anything that has no lease or limit to wait for. Generous: the machine may be busy."""


class Clock:
    """In seconds, as `time.time` and `time.monotonic` are. It goes on when it is turned. `running`:
    `now` is what a test has added to real time."""

    def __init__(self, now: float = 1_800_000_000.0, *, running: bool = False) -> None:
        self.now, self._running = now, running

    def __call__(self) -> float:
        return self.now + (time.monotonic() if self._running else 0.0)

    def ms(self) -> int:
        return int(self() * 1000)

    def turn(self, seconds: float) -> None:
        self.now += seconds


def wait_for(
    found: Callable[[], T],
    seconds: float = PATIENCE_SECONDS,
    *,
    every: float = 0.02,
    told: Callable[[], object] = lambda: "waited in vain",
) -> T:
    """The first true value. `told`: what is said where none comes in time."""
    until = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < until, told()
        time.sleep(every)
    return value
