"""When to connect again: at once after a good connection, then after growing gaps."""

from __future__ import annotations

import random
from collections.abc import Callable

LONGEST_GAP_S = 60.0


class Gaps:
    """Not thread-safe: only one thread uses it.

    A connection that ends before `settled_s` counts as one more failure. Otherwise, if Slack greets
    and then hangs up, the bot would connect again without any pause. Gaps are shortened at random,
    at most by half, so that many bots do not come back at the same moment.
    """

    def __init__(
        self,
        now: Callable[[], float],
        first_gap_s: float,
        *,
        settled_s: float,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._now = now
        self._first_gap_s = first_gap_s
        self._settled_s = settled_s
        self._chance = chance
        self._failures = 0
        self.next_at = now()

    def due(self) -> bool:
        return self._now() >= self.next_at

    def failed(self, wait_s: float = 0.0) -> float:
        """No connection was made. Returns the seconds until the next try, at least `wait_s`."""
        self._failures += 1
        longest = min(LONGEST_GAP_S, self._first_gap_s * 2.0 ** min(self._failures - 1, 16))
        gap = max(wait_s, longest * (1.0 + self._chance()) / 2.0)
        self.next_at = self._now() + gap
        return gap

    def lost(self, lived_s: float) -> None:
        """A connection has ended, or Slack wants to end it, `lived_s` after it was opened."""
        if lived_s < self._settled_s:
            self.failed()
        else:
            self._failures = 0
            self.next_at = self._now()
