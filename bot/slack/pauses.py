"""After a 429 nothing of that method is sent before `Retry-After`, by whoever in the bot asks."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from slack_sdk.errors import SlackRequestError

from bot.core.delivery import PausesPort

RESPONSE_URL = "response_url"
"""Stands for all of these addresses, among the names of methods."""


class Silenced(SlackRequestError):
    """Not sent: Slack has asked for silence on this method. Its callers know a 429 already, and
    this is sorted as one (`trouble.trouble_of`)."""

    def __init__(self, method: str, left_ms: int) -> None:
        super().__init__(f"{method} is silent for {left_ms} ms more, as Slack asked")
        self.retry_after_s = math.ceil(left_ms / 1000)


class OwnPauses:
    """Implements `bot.core.delivery.PausesPort` in memory, for where nothing is shared."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.now = now
        self._lock = threading.Lock()
        self._until: dict[str, int] = {}

    def known(self) -> dict[str, int]:
        with self._lock:
            return dict(self._until)

    def hold(self, method: str, seconds: int) -> int:
        with self._lock:
            until = max(self.now() + seconds * 1000, self._until.get(method, 0))
            self._until[method] = until
            return until


def left_ms(pauses: PausesPort, method: str) -> int:
    """How long it is still held back; 0 when it is not."""
    until = pauses.known().get(method)
    return 0 if until is None else max(0, until - pauses.now())
