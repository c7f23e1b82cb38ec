"""A key for each event that is the same only if it comes from the same act of a person.

It is unique in the inbox, so a replay, a retry by Slack, or a client that sends twice stores
nothing twice. It is hashed, because a `trigger_id` is a secret for as long as it is valid.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from bot.slack.receive.payload import maybe_text, only_action, text_of, user_of


def of_command(payload: Mapping[str, Any]) -> str:
    """By `trigger_id`, who typed what, and where: one command makes one request."""
    typed = (maybe_text(payload, name) or "" for name in ("user_id", "channel_id", "text"))
    return _origin("command", text_of(payload, "trigger_id"), *typed)


def of_click(payload: Mapping[str, Any]) -> str:
    """By `trigger_id`, who pressed which button, and when: two people never share a key."""
    action = only_action(payload)
    return _origin(
        "click",
        text_of(payload, "trigger_id"),
        user_of(payload)[0],
        text_of(action, "action_id"),
        maybe_text(action, "action_ts") or "",
    )


def of_reason_form(by: str, request_id: str, opened_by: int) -> str:
    """By the press that opened it, and the person: one form makes one decision, however often it is
    sent. Each sending has a `trigger_id` of its own, and the form stays open if Slack heard nothing
    of the first. Each press of the button opens another form."""
    return _origin("reason", by, request_id, str(opened_by))


def of_form(request_id: str) -> str:
    """By the id of its request: one request modal makes one request, however often it is sent."""
    return _origin("form", request_id)


def of_refusal(by: str, channel: str, why: str, when: int) -> str:
    """By who, where and why within one period of time, not by the command: see `refusing`."""
    return _origin("refusal", by, channel, why, str(when))


def _origin(kind: str, *parts: str) -> str:
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return f"{kind}:{digest[:40]}"
