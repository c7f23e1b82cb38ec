"""Slack's rate limits, on an injected clock (Slack docs, rate limits)."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

#: Calls a minute by tier; the documented figure is taken as the most that passes.
TIER_2, TIER_3, TIER_4 = 20, 50, 100

PER_MINUTE = {
    "chat.update": TIER_3,
    "chat.postEphemeral": TIER_4,
    "views.open": TIER_4,
    "views.publish": TIER_4,
    "views.update": TIER_4,
    "views.push": TIER_4,
    "usergroups.list": TIER_2,
    "usergroups.users.list": TIER_2,
    "users.info": TIER_4,
    "conversations.info": TIER_3,
    "conversations.open": TIER_3,
}

#: `chat.postMessage`: one a second and channel. Slack tolerates "short bursts" without a figure;
#: three is an assumption, small enough for a careless poster to be refused.
POSTS_PER_SECOND = 1.0
POST_BURST = 3

_WINDOW_SECONDS = 60.0


class RateLimits:
    """Counts calls and says how long a refused one has to wait.

    `factor` 1 is Slack's own measure, 10 allows ten times as much; 0 or less switches off.
    A refused call is not counted.
    """

    def __init__(self, clock: Callable[[], float], factor: float = 1.0) -> None:
        self.clock = clock
        self.factor = factor
        self._calls: dict[str, deque[float]] = {}
        self._tokens: dict[str, tuple[float, float]] = {}

    def refuse(self, method: str, channel: str = "") -> int | None:
        """None: the call passes and is counted. Otherwise whole seconds for `Retry-After`."""
        if self.factor <= 0:
            return None
        if method == "chat.postMessage":
            return self._refuse_post(channel)
        if method in PER_MINUTE:
            return self._refuse_in_window(method)
        return None

    def _refuse_post(self, channel: str) -> int | None:
        now = self.clock()
        rate, burst = POSTS_PER_SECOND * self.factor, max(1.0, POST_BURST * self.factor)
        tokens, since = self._tokens.get(channel, (burst, now))
        tokens = min(burst, tokens + max(0.0, now - since) * rate)
        # A hair of tolerance: a caller who waits exactly Retry-After must not be refused again
        # because 0.1 s ten times is a little less than 1 s in floating point.
        if tokens < 1.0 - 1e-6:
            self._tokens[channel] = (tokens, now)
            return max(1, math.ceil((1.0 - tokens) / rate - 1e-6))
        self._tokens[channel] = (tokens - 1.0, now)
        return None

    def _refuse_in_window(self, method: str) -> int | None:
        now = self.clock()
        calls = self._calls.setdefault(method, deque())
        while calls and calls[0] <= now - _WINDOW_SECONDS:
            calls.popleft()
        if len(calls) >= max(1, int(PER_MINUTE[method] * self.factor)):
            return max(1, math.ceil(calls[0] + _WINDOW_SECONDS - now))
        calls.append(now)
        return None
