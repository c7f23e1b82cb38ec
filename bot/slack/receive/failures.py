"""Turns every error of a listener into a sentence for the person and a line in the log."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import structlog
from slack_bolt import BoltResponse
from slack_bolt.error import BoltUnhandledRequestError

from bot.request.model import new_reference
from bot.slack.draw.ids import (
    BLOCK_REASON,
    UNPAIR_BREAK_GLASS_REASON,
    UNPAIR_DENY_REASON,
    UNPAIR_REQUEST,
)
from bot.slack.draw.words import usage
from bot.slack.receive.payload import Json, Malformed
from bot.slack.send.whisper import Whisper

log = structlog.get_logger(__name__)

SHORTEST_SECRET = 8
"""Hiding anything shorter would blank out half of the traceback and protect nothing."""

SECRETS = ("response_url", "trigger_id", "token")
"""Fields of a payload that must not be logged. A database error quotes the values to store."""


def error_handler(whisper: Whisper) -> Callable[..., BoltResponse]:
    """For `App.error`. Whatever came from Slack and is not malformed is acknowledged with 200. With
    any other status the person would only read "operation failed"."""

    def handle(error: Exception, body: Json) -> BoltResponse:
        if isinstance(error, Malformed):
            log.warning("payload_malformed", why=str(error))
            return BoltResponse(status=400, body={"error": "malformed"})
        if isinstance(error, BoltUnhandledRequestError):
            log.info("payload_unhandled", kind=str(body.get("type"))[:40])
            return BoltResponse(status=200, body="")
        reference = new_reference()
        log.error("listener_failed", reference=reference, traceback=_traceback(error, body))
        return _tell(usage.unexpected(reference), body, whisper)

    return handle


def _tell(sentence: str, body: Json, whisper: Whisper) -> BoltResponse:
    if "command" in body:
        return BoltResponse(status=200, body={"response_type": "ephemeral", "text": sentence})
    if body.get("type") == "view_submission":
        return BoltResponse(status=200, body=_in_the_modal(sentence, body["view"]))
    url = body.get("response_url")
    whisper.tell(url if isinstance(url, str) else None, sentence)
    return BoltResponse(status=200, body="")


def _in_the_modal(sentence: str, view: Json) -> dict[str, Any]:
    if view.get("callback_id") in (UNPAIR_DENY_REASON, UNPAIR_BREAK_GLASS_REASON, UNPAIR_REQUEST):
        return {"response_action": "errors", "errors": {BLOCK_REASON: sentence}}
    return {"response_action": "clear"}


def _traceback(error: Exception, body: Json) -> str:
    """Without local variables, and without the secrets of the payload."""
    lines = "".join(traceback.format_exception(error))
    for name in SECRETS:
        value = body.get(name)
        if isinstance(value, str) and len(value) >= SHORTEST_SECRET:
            lines = lines.replace(value, f"<{name}>")
    return lines
