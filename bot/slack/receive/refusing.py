"""A request that the listener refuses at once: it is recorded in the audit trail, and that is
all."""

from __future__ import annotations

import time
from typing import Literal

import structlog

from bot.request.events import AskRefused
from bot.slack.receive import origins
from bot.slack.receive.command import Ask, Form
from bot.slack.receive.deps import ListenerDeps
from bot.slack.receive.payload import Json, maybe_text, text_of

log = structlog.get_logger(__name__)

Why = Literal["direct_message", "channel", "reason_missing", "reason_pattern"]

ONCE_IN_S = 60
"""The same refusal of the same person in the same place is recorded only once in this time.
Somebody who types it all day must not fill the trail, nor the queue in which other requests
wait."""


def note_refusal(payload: Json, wanted: Ask | Form, why: Why, deps: ListenerDeps) -> None:
    """Leave the recording to the worker, since a listener never waits for the head of the trail.
    Raises Malformed."""
    by, channel = text_of(payload, "user_id"), text_of(payload, "channel_id")
    pairing, force = (wanted.pairing, wanted.force) if isinstance(wanted, Ask) else ("", False)
    event = AskRefused(
        by=by,
        team=maybe_text(payload, "team_id"),
        channel=channel,
        pairing=pairing,
        force=force,
        why=why,
    )
    origin = origins.of_refusal(by, channel, why, int(time.time()) // ONCE_IN_S)
    deps.inbox.put(event, origin=origin, request_id="")
    log.info("asking_refused", by=by, channel=channel, why=why)
