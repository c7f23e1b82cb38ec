"""Turns one Socket Mode envelope into its acknowledgement, with what the listener answered.

The checks and listeners are the same as over HTTP, but there is no signature (Slack docs, Socket
Mode).
"""

from __future__ import annotations

import json
from contextlib import nullcontext

import structlog
from slack_bolt import App, BoltRequest, BoltResponse

from bot.slack.payload import Json, Malformed, object_of
from bot.slack.shape import check
from bot.slack.signed_requests import Answering, OnRejected

log = structlog.get_logger(__name__)


class Envelopes:
    """`answer` never raises, whatever was sent. `on_rejected` counts rejected envelopes.
    `answering` is entered while an envelope is handled."""

    def __init__(
        self, app: App, on_rejected: OnRejected, *, answering: Answering = nullcontext
    ) -> None:
        self._app = app
        self._answering = answering
        self._on_rejected = on_rejected

    def answer(self, envelope: Json) -> Json | None:
        """The acknowledgement, or None for what is answered with an error over HTTP: without an
        acknowledgement Slack tells the person that it failed, which is true."""
        try:
            payload = object_of(envelope, "payload")
            check(payload)
        except Malformed as error:
            self._reject(str(error))
            return None
        try:
            with self._answering():
                response = self._app.dispatch(BoltRequest(mode="socket_mode", body=payload))
        except Exception:
            # Bolt passes every error to `failures`, so only an error in there gets here. It must
            # not end the thread: the clicks that wait for it would get no answer.
            log.exception("envelope_failed")
            return None
        if response.status == 400:
            self._reject("a listener found it so")
            return None
        if response.status != 200:
            log.warning("envelope_not_acknowledged", status=response.status)
            return None
        ack: Json = {"envelope_id": envelope["envelope_id"]}
        said = _said(response)
        if said and envelope.get("accepts_response_payload"):
            ack["payload"] = said
        return ack

    def _reject(self, why: str) -> None:
        log.warning("slack_request_rejected", kind="malformed", why=why)
        self._on_rejected("malformed")


def _said(response: BoltResponse) -> Json:
    body = response.body or ""
    if response.headers.get("content-type", [""])[0].startswith("application/json"):
        said = json.loads(body) if body else {}
        return said if isinstance(said, dict) else {}
    return {"text": body} if body else {}
