"""How many calls the simulated appliance takes in a minute.

The vendor's numbers (documentation, 8.8 and later) are 50 per session and 100 per client address.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Hashable

WINDOW_SECONDS = 60.0


class CallLimit:
    """At most `calls` per key in any 60 seconds; `calls` None is no limit."""

    def __init__(self, calls: int | None) -> None:
        self.calls = calls
        self._times: dict[Hashable, deque[float]] = {}

    def seconds_to_wait(self, key: Hashable, now: float) -> int | None:
        """None when the call may pass, and then it is counted; else whole seconds, at least 1."""
        if self.calls is None:
            return None
        times = self._times.setdefault(key, deque())
        while times and now - times[0] >= WINDOW_SECONDS:
            times.popleft()
        if len(times) < self.calls:
            times.append(now)
            return None
        oldest = times[0] if times else now
        return max(1, math.ceil(oldest + WINDOW_SECONDS - now))
