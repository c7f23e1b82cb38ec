"""Events of requests that do not exist: they change nothing, and are answered and recorded."""

from __future__ import annotations

from typing import Any

from bot.request.entries import SYSTEM, Answer, Entry
from bot.request.events import AskRefused, Clicked, Misdirected, OperatorCancelled, Stored
from bot.request.frozen import Frozen


class Dismissed(Frozen):
    """What such an event leaves behind; there is no row to change."""

    entries: tuple[Entry, ...]
    answers: tuple[Answer, ...] = ()


def dismissal(stored: Stored, now: int) -> Dismissed:
    match stored.event:
        case Misdirected() as event:
            # The listener has already answered whoever pressed.
            detail = {"click": event.action, "why": event.why, "value": event.value}
            return Dismissed(entries=(_click_refused(event, now, detail),))
        case AskRefused() as event:
            asked = event.model_dump(exclude={"kind", "by"}, exclude_none=True)
            entry = Entry(action="ask_refused", actor=event.by, at=now, detail=asked)
            return Dismissed(entries=(entry,))
        case Clicked() as event:
            detail = {"click": event.action, "why": "unknown_request"}
            entry = _click_refused(event, now, detail)
        case OperatorCancelled() as event:
            actor, detail = f"operator:{event.operator}", {"why": "unknown_request"}
            entry = Entry(action="cancel_refused", actor=actor, at=now, detail=detail)
        case event:
            detail = {"event": event.kind, "why": "unknown_request"}
            entry = Entry(action="came_late", actor=SYSTEM, at=now, detail=detail)
    answer = Answer(event=stored.number, code="unknown_request")
    return Dismissed(entries=(entry,), answers=(answer,))


def _click_refused(event: Clicked | Misdirected, now: int, detail: dict[str, Any]) -> Entry:
    where = f"{event.channel}/{event.message_ts}"
    return Entry(action="click_refused", actor=event.by, at=now, message=where, detail=detail)
