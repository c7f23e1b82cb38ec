"""After a 429 no part of the bot calls that method again before `Retry-After` is over."""

from __future__ import annotations

import math

from slack_sdk.errors import SlackRequestError

from bot.store.shared import Pauses

RESPONSE_URL = "response_url"
"""Stands for all of these addresses, where otherwise a method is named."""


class Silenced(SlackRequestError):
    """Not sent, because Slack has asked to wait with this method. It is treated like a 429, which
    all callers can handle (`trouble.trouble_of`)."""

    def __init__(self, method: str, left_ms: int) -> None:
        super().__init__(f"{method} is silent for {left_ms} ms more, as Slack asked")
        self.retry_after_s = math.ceil(left_ms / 1000)


def left_ms(pauses: Pauses, method: str) -> int:
    """How long the method is still held back; 0 if it is not."""
    until = pauses.known().get(method)
    return 0 if until is None else max(0, until - pauses.now())
