"""The time of one stop: all of its parts have it together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Deadline:
    """A host kills after its own ten seconds, whoever needed them: with a limit for each part, the
    sum of two that hang is above that, and the parts after them are cut off in the middle."""

    def __init__(self, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._began = monotonic()
        self._by = self._began + seconds

    def left(self, most: float | None = None) -> float:
        """Seconds until it, never below 0; `most` is what one part gets of them."""
        left = max(0.0, self._by - self._monotonic())
        return left if most is None else min(most, left)

    def passed(self) -> float:
        """Seconds since the stop began."""
        return self._monotonic() - self._began

    def within(self, close: Callable[[], None], *, at_least_s: float = 0.0) -> bool:
        """Whether `close` ended in time, or in `at_least_s` where less is left. For what has no
        limit of its own: in a thread, that the end of the process takes away."""
        closing = threading.Thread(target=close, name="close", daemon=True)
        closing.start()
        closing.join(max(self.left(), at_least_s))
        return not closing.is_alive()
