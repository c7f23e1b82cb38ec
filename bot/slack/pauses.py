"""After a 429 nothing of that method is sent before `Retry-After`, by whoever in the bot asks."""

from __future__ import annotations

import math

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


def left_ms(pauses: PausesPort, method: str) -> int:
    """How long it is still held back; 0 when it is not."""
    until = pauses.known().get(method)
    return 0 if until is None else max(0, until - pauses.now())
