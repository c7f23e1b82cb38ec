"""Which message goes next: final words first, then cards, then progress."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, bindparam, case, exists, select

from bot.request.messages import Slot
from bot.store.due import lease_over
from bot.store.schema import messages

URGENCY = {
    Slot.FINAL: 0,
    Slot.CORRECTION: 0,
    Slot.ANSWER: 1,
    Slot.CARD: 2,
    Slot.REMINDER: 3,
    Slot.NOTICE: 3,
    Slot.ALARM: 1,
    Slot.TOLD: 3,
    Slot.STRAY: 3,
    Slot.PROGRESS: 4,
}
"""The most urgent is 0. Final words come first: after an outage people should not have to wait for
the outcome until everything else is posted."""


@cache
def sendable() -> Select[Any]:
    """The most urgent message that is due at `:now`, of a request with no message being sent.
    `:calm_since`: since when Slack has accepted all posts. Built once: it runs at every wake."""
    now, calm_since = (bindparam(name, type_=BigInteger) for name in ("now", "calm_since"))
    other = messages.alias()
    held = exists().where(
        other.c.request_id == messages.c.request_id, ~lease_over(other.c.lease_until, now)
    )
    # While Slack accepts everything, the first progress message is posted before the final words,
    # so that the thread is in order. After a refusal or an outage, final words go first.
    first_progress = and_(
        messages.c.urgency == URGENCY[Slot.PROGRESS],
        messages.c.ts.is_(None),
        messages.c.attempts == 0,
        messages.c.created_at >= calm_since,
    )
    return (
        select(messages)
        .where(messages.c.due_at <= now, lease_over(messages.c.lease_until, now), ~held)
        .order_by(case((first_progress, 0), else_=messages.c.urgency), messages.c.created_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def not_paused(paused: dict[str, int], now: int) -> list[ColumnElement[bool]]:
    """Conditions that leave out messages whose kind of call is paused after a 429."""
    is_answer, is_edit = messages.c.answer.isnot(None), messages.c.ts.isnot(None)
    kinds = {
        "answer": is_answer,
        "edit": and_(~is_answer, is_edit),
        "post": and_(~is_answer, ~is_edit),
    }
    return [~kinds[kind] for kind, until in paused.items() if until > now]
