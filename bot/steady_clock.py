"""The clock by which everything that must be over in time is measured: it runs on while the machine
is suspended.

Python's `time.monotonic` stands still then (CLOCK_MONOTONIC, clock_gettime(2)), so a DELETE that
was about to leave before a suspend would leave an hour later as if no time had passed. Linux counts
that time in CLOCK_BOOTTIME; a virtual machine that its host has paused sees none of it until its
wall clock is set right. So whatever either of these has moved beside `time.monotonic` since the
last look counts as time that has passed, a wall clock that is set back included: too much only
means that nothing is sent, and all is read again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

JUMP_SECONDS = 0.5
"""Less than this between two looks is how clocks are kept right (NTP slews by 0.0005 a second), and
how long a look itself may take."""


class SteadyClock:
    """Seconds from some moment on, never fewer than before. Thread-safe."""

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        since_boot: Callable[[], float] | None = None,
    ) -> None:
        self._clocks = monotonic, wall, since_boot or _since_boot(monotonic)
        self._lock = threading.Lock()
        self._jumped = 0.0
        self._last = self._read()

    def __call__(self) -> float:
        with self._lock:
            now = self._read()
            ran, *others = (is_now - was for is_now, was in zip(now, self._last, strict=True))
            jump = max(abs(other - ran) for other in others)
            self._last = now
            if jump > JUMP_SECONDS:
                self._jumped += jump
            return now[0] + self._jumped

    def _read(self) -> tuple[float, ...]:
        return tuple(clock() for clock in self._clocks)


def _since_boot(monotonic: Callable[[], float]) -> Callable[[], float]:
    """CLOCK_BOOTTIME where the system has it, else nothing that could jump."""
    which = getattr(time, "CLOCK_BOOTTIME", None)
    return monotonic if which is None else lambda: time.clock_gettime(which)


steady_seconds = SteadyClock()
"""The one of this process: what one part of it sets as an end, another compares."""
