"""The messages that should stand in Slack, noted in the transaction that makes them due."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, Connection, bindparam, case, insert, select, update

from bot.request.events import EVENT, person_of
from bot.request.messages import Answer, Message, Slot
from bot.request.model import Request
from bot.store.schema import inbox, messages

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

# Built once each, as they run with every step of every request.
_INSERT = insert(messages)
_NOW = bindparam("now", type_=BigInteger)
_WANT = (
    update(messages)
    .where(
        messages.c.request_id == bindparam("of_request"), messages.c.slot == bindparam("in_slot")
    )
    .values(
        wanted=bindparam("wanted"),
        due_at=case((messages.c.not_before > _NOW, messages.c.not_before), else_=_NOW),
    )
)


def want(
    conn: Connection, request: Request, wanted: Sequence[Message], version: int, now: int
) -> None:
    """These messages are due, since the row has this version now: in the transaction that changes
    it. How they look is found out when they are sent."""
    for message in wanted:
        named = {"of_request": request.id, "in_slot": message.slot}
        changed = conn.execute(_WANT, {**named, "wanted": version, "now": now})
        if changed.rowcount == 0:
            add(
                conn,
                request.id,
                message,
                now,
                channel=message.person or request.channel,
                thread_ts=request.card_ts if message.in_thread else None,
                ts=message.which if message.kind is Slot.STRAY else None,
                wanted=version,
            )
    if request.card_ts:
        # The card may be known from a click that was quicker than Slack's answer to the post.
        conn.execute(
            update(messages)
            .where(
                messages.c.request_id == request.id,
                messages.c.slot == Slot.CARD.value,
                messages.c.ts.is_(None),
            )
            .values(ts=request.card_ts)
        )


def add_answers(conn: Connection, request_id: str, answers: Sequence[Answer], now: int) -> None:
    """Words for one person: to the `response_url` of the event they answer."""
    for answer in answers:
        event = conn.execute(select(inbox).where(inbox.c.number == answer.event)).one_or_none()
        if event is None:
            continue
        body = EVENT.validate_json(event.body)
        add(
            conn,
            request_id,
            Message(slot=f"{Slot.ANSWER}:{answer.event}:{answer.code}"),
            now,
            channel=getattr(body, "channel", ""),
            wanted=0,
            answer=answer.model_dump_json(),
            person=person_of(body),
        )


def add(
    conn: Connection, request_id: str, message: Message, now: int, **columns: str | int | None
) -> None:
    """A new message, due at once."""
    always = {
        "request_id": request_id,
        "slot": message.slot,
        "urgency": URGENCY[message.kind],
        "due_at": now,
        "not_before": 0,
        "lease_until": 0,
        "attempts": 0,
        "lost": 0,
        "created_at": now,
    }
    conn.execute(_INSERT, {**always, **columns})
