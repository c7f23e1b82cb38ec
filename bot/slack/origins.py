"""Where an event came from, as one word that is the same only for the same act of a person.

The inbox is unique by it: a replay, a retry of Slack, or a client that sent twice stores nothing
twice. Hashed, because a `trigger_id` is a secret for as long as it lives.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from bot.slack.payload import maybe_text, only_action, text_of, user_of


def of_command(payload: Mapping[str, Any]) -> str:
    """By `trigger_id`, and by what was typed, where and by whom: one command makes one request."""
    typed = (maybe_text(payload, name) or "" for name in ("user_id", "channel_id", "text"))
    return _origin("command", text_of(payload, "trigger_id"), *typed)


def of_click(payload: Mapping[str, Any]) -> str:
    """By `trigger_id`, with who pressed which button in which moment: two people are never one."""
    action = only_action(payload)
    return _origin(
        "click",
        text_of(payload, "trigger_id"),
        user_of(payload)[0],
        text_of(action, "action_id"),
        maybe_text(action, "action_ts") or "",
    )


def of_submission(payload: Mapping[str, Any], view: Mapping[str, Any]) -> str:
    """By `trigger_id`, the person and the view: each press of its button has a new one."""
    trigger, (by, _) = text_of(payload, "trigger_id"), user_of(payload)
    return _origin("submission", trigger, by, maybe_text(view, "id") or "")


def of_form(request_id: str) -> str:
    """By the request that it was opened for: one request modal makes one request, however often it
    is sent."""
    return _origin("form", request_id)


def of_refusal(by: str, channel: str, why: str, when: int) -> str:
    """By who, where and why, in one stretch of time, and not by the command: see `refusing`."""
    return _origin("refusal", by, channel, why, str(when))


def _origin(kind: str, *parts: str) -> str:
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return f"{kind}:{digest[:40]}"
