"""The way in for what Slack sends over HTTP: its signature, its shape, then the listeners. Nothing
is parsed before its signature is verified."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

import structlog
from slack_bolt import BoltResponse
from slack_sdk.signature import Clock, SignatureVerifier

from bot.slack.receive.http_server import TEXT, Answer
from bot.slack.receive.payload import Json, Malformed, Rejected, parse
from bot.slack.send.web_api import SecretNow

log = structlog.get_logger(__name__)

WINDOW_S = 5 * 60
"""Anything older counts as a replay (Slack docs, verifying requests from Slack)."""

LINE_EVERY_S = 60.0
"""Between two lines in the log about requests that are not from Slack: anybody can send them."""


class FromSlack:
    """The way in for what Slack sends: its signature, its shape, then the listeners.

    `listen` may raise Malformed and nothing else. `on_rejected` counts. `now` is in monotonic
    seconds, `clock` what Slack's timestamps are held against. Only the secret that is set now
    counts: whoever replaces one that has leaked wants it to be worth nothing.
    """

    def __init__(
        self,
        signing_secret: SecretNow,
        listen: Callable[[Json], BoltResponse],
        on_rejected: Callable[[Rejected], None],
        *,
        now: Callable[[], float] = time.monotonic,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or Clock()
        self._secret = signing_secret
        self._listen = listen
        self._on_rejected = on_rejected
        self._now = now
        self._lock = threading.Lock()
        self._turned_away = 0
        self._next_line_at = -math.inf

    def answer(self, body: bytes, timestamp: str, signature: str) -> Answer:
        """Whatever a stranger or a broken client sends, it is answered below 500."""
        if problem := self._not_from_slack(body, timestamp, signature):
            self.turn_away(problem)
            return 401, problem.encode(), TEXT
        try:
            said = self._listen(parse(body))
        except Malformed as error:
            log.warning("slack_request_malformed", why=str(error))
            self._on_rejected("malformed")
            return 400, b"malformed", TEXT
        return said.status, (said.body or "").encode(), said.headers.get("content-type", [TEXT])[0]

    def turn_away(self, why: Rejected) -> None:
        """Count one that is not known to come from Slack."""
        self._on_rejected(why)
        with self._lock:
            self._turned_away += 1
            if self._now() < self._next_line_at:
                return
            requests, self._turned_away = self._turned_away, 0
            self._next_line_at = self._now() + LINE_EVERY_S
        log.warning("slack_requests_turned_away", requests=requests, last=why)

    def _not_from_slack(self, body: bytes, timestamp: str, signature: str) -> Rejected | None:
        if not timestamp or not signature:
            return "unsigned"
        signed = body, timestamp, signature
        try:
            if SignatureVerifier(self._secret(False), self._clock).is_valid(*signed):
                return None
            if abs(self._clock.now() - int(timestamp)) >= WINDOW_S:
                return "old"
            # Slack may sign with a new one already, which has been set here since.
            fits = SignatureVerifier(self._secret(True), self._clock).is_valid(*signed)
            return None if fits else "forged"
        except (ValueError, TypeError):
            # A time that is no number, a signature that is not ASCII, a body that is not UTF-8:
            # Slack has signed none of these.
            return "forged"
