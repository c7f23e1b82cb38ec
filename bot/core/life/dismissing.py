"""Events of requests that are not here: they change nothing, and are answered and kept."""

from __future__ import annotations

from typing import Any

from bot.core.entries import SYSTEM, Answer, Entry
from bot.core.events import AskRefused, Clicked, Misdirected, OperatorCancelled, Stored
from bot.core.frozen import Frozen


class Dismissed(Frozen):
    """What such an event leaves behind; there is no row to change."""

    entries: tuple[Entry, ...]
    answers: tuple[Answer, ...] = ()


def dismissal(stored: Stored, now: int) -> Dismissed:
    match stored.event:
        case Misdirected() as event:
            # Whoever pressed was answered by the listener, which knew at once.
            where = f"{event.channel}/{event.message_ts}"
            detail = {"click": event.action, "why": event.why, "value": event.value}
            return Dismissed(entries=(_entry("click_refused", event.by, now, where, detail),))
        case AskRefused() as event:
            asked = event.model_dump(exclude={"kind", "by"}, exclude_none=True)
            return Dismissed(entries=(_entry("ask_refused", event.by, now, None, asked),))
        case Clicked() as event:
            where = f"{event.channel}/{event.message_ts}"
            detail = {"click": event.action, "why": "unknown_request"}
            entry = _entry("click_refused", event.by, now, where, detail)
        case OperatorCancelled() as event:
            actor = f"operator:{event.operator}"
            entry = _entry("cancel_refused", actor, now, None, {"why": "unknown_request"})
        case event:
            detail = {"event": event.kind, "why": "unknown_request"}
            entry = _entry("came_late", SYSTEM, now, None, detail)
    answer = Answer(event=stored.number, code="unknown_request")
    return Dismissed(entries=(entry,), answers=(answer,))


def _entry(action: str, actor: str, now: int, message: str | None, detail: dict[str, Any]) -> Entry:
    return Entry(
        action=action, actor=actor, at=now, message=message, before=None, after=None, detail=detail
    )
