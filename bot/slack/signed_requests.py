"""The only way in for what Slack sends over HTTP: signature, shape, then Bolt.

Nothing is parsed before the signature is verified. Bolt verifies it once more by itself, but cannot
be the first to do so: it parses a body before it looks at the signature (slack_bolt source,
`BoltRequest`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import structlog
from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.context import BoltContext
from slack_bolt.request.internals import build_context
from slack_sdk.signature import SignatureVerifier

from bot.slack.payload import Json, Malformed
from bot.slack.shape import parse

log = structlog.get_logger(__name__)

Rejected = Literal["unsigned", "old", "forged", "malformed", "too_large"]
OnRejected = Callable[[Rejected], None]
Answering = Callable[[], AbstractContextManager[None]]

WINDOW_S = 5 * 60
"""Anything older counts as a replay (Slack docs, verifying requests from Slack)."""


class Door:
    """`answer` never raises, whatever a stranger or a broken client sends.

    The Bolt App must verify with the same secret. `on_rejected` counts rejected requests.
    `answering` is entered while a signed request is handled.
    """

    def __init__(
        self,
        app: App,
        signing_secret: str,
        on_rejected: OnRejected,
        *,
        answering: Answering = nullcontext,
    ) -> None:
        self._app = app
        self._answering = answering
        self._verifier = SignatureVerifier(signing_secret)
        self._on_rejected = on_rejected

    def answer(self, body: bytes, headers: Mapping[str, str]) -> BoltResponse:
        """The names of `headers` are in lower case."""
        timestamp = headers.get("x-slack-request-timestamp", "")
        signature = headers.get("x-slack-signature", "")
        if not timestamp or not signature:
            return self._reject("unsigned", 401)
        try:
            text = body.decode()
        except UnicodeDecodeError:
            # Slack only signs UTF-8, so this cannot have a valid signature.
            return self._reject("malformed", 400)
        if problem := self._signature_problem(text, timestamp, signature):
            return self._reject(problem, 401)
        content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            payload = parse(text, content_type)
        except Malformed as error:
            return self._reject("malformed", 400, why=str(error))
        try:
            with self._answering():
                answer = self._app.dispatch(_Request(text, payload, dict(headers)))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # Errors of our listeners go to the App's error handler. So Bolt itself has failed to
            # read a field: the request is signed, but not one that Slack sends.
            return self._reject("malformed", 400, why=f"Bolt: {type(error).__name__}: {error}")
        if answer.status == 400:
            self._on_rejected("malformed")
        return answer

    def too_large(self) -> BoltResponse:
        """The answer to a body that was too large to be kept."""
        return self._reject("too_large", 413)

    def _signature_problem(self, text: str, timestamp: str, signature: str) -> Rejected | None:
        # Anybody can send these two headers, and the verifier raises if the time is no number or
        # the signature is not ASCII.
        if not (timestamp.isascii() and timestamp.isdigit() and signature.isascii()):
            return "forged"
        if len(timestamp) > 12 or abs(time.time() - int(timestamp)) > WINDOW_S:
            return "old"
        return None if self._verifier.is_valid(text, timestamp, signature) else "forged"

    def _reject(self, kind: Rejected, status: int, why: str | None = None) -> BoltResponse:
        log.warning("slack_request_rejected", kind=kind, why=why)
        self._on_rejected(kind)
        return BoltResponse(status=status, body={"error": kind})


class _Request(BoltRequest):
    """A request for Bolt, with the payload that we have parsed already."""

    def __init__(self, text: str, payload: Json, headers: dict[str, str]) -> None:
        super().__init__(body="", headers=headers)  # type: ignore[arg-type]
        self.raw_body = text
        self.body = payload
        self.context = build_context(BoltContext({}), payload)
