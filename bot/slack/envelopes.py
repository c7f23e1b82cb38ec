"""Turns one Socket Mode envelope into its acknowledgement, with what the listener answered.

The checks and listeners are the same as over HTTP, but there is no signature (Slack docs, Socket
Mode).
"""

from __future__ import annotations

import json
from collections.abc import Callable

import structlog
from slack_bolt import BoltResponse

from bot.slack.receive.http import Rejected
from bot.slack.receive.payload import Json, Malformed, checked

log = structlog.get_logger(__name__)


class Envelopes:
    """`answer` never raises, whatever was sent. `listen` may raise Malformed. `on_rejected` counts
    rejected envelopes."""

    def __init__(
        self, listen: Callable[[Json], BoltResponse], on_rejected: Callable[[Rejected], None]
    ) -> None:
        self._listen = listen
        self._on_rejected = on_rejected

    def answer(self, envelope: Json) -> Json | None:
        """The acknowledgement, or None for what is answered with an error over HTTP: without an
        acknowledgement Slack tells the person that it failed, which is true."""
        try:
            response = self._listen(checked(envelope.get("payload")))
        except Malformed as error:
            log.warning("slack_request_malformed", why=str(error))
            self._on_rejected("malformed")
            return None
        except Exception:
            # Bolt passes every error to `failures`, so only an error in there gets here. It must
            # not end the thread: the clicks that wait for it would get no answer.
            log.exception("envelope_failed")
            return None
        if response.status != 200:
            log.warning("envelope_not_acknowledged", status=response.status)
            return None
        ack: Json = {"envelope_id": envelope["envelope_id"]}
        said = _said(response)
        if said and envelope.get("accepts_response_payload"):
            ack["payload"] = said
        return ack


def _said(response: BoltResponse) -> Json:
    body = response.body or ""
    if response.headers.get("content-type", [""])[0].startswith("application/json"):
        said = json.loads(body) if body else {}
        return said if isinstance(said, dict) else {}
    return {"text": body} if body else {}
