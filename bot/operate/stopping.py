"""The time for one stop, which all of its parts share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Deadline:
    """Hosts kill a process ten seconds after they told it to stop. If each part had its own limit,
    two parts that hang would take longer than that, and later parts would be killed half-way."""

    def __init__(self, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._began = monotonic()
        self._by = self._began + seconds

    def left(self, most: float | None = None) -> float:
        """Seconds that are left, never below 0; at most `most` of them for one part."""
        left = max(0.0, self._by - self._monotonic())
        return left if most is None else min(most, left)

    def passed(self) -> float:
        """Seconds since the stop began."""
        return self._monotonic() - self._began

    def within(self, close: Callable[[], None], *, at_least_s: float = 0.0) -> bool:
        """Runs `close`, which has no time limit of its own. Whether it ended in the time left, or
        in `at_least_s` if that is more. It runs in a daemon thread, which ends with the process."""
        closing = threading.Thread(target=close, name="close", daemon=True)
        closing.start()
        closing.join(max(self.left(), at_least_s))
        return not closing.is_alive()
