"""What one step of a request stores, in one transaction: the row, its event, its messages and the
audit trail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    bindparam,
    case,
    exists,
    insert,
    select,
    update,
)

from bot.request.event_changes import Absorbed
from bot.request.events import EVENT, person_of
from bot.request.messages import Answer, Message, Slot, changed_messages
from bot.request.model import Request, State
from bot.request.pairing import id_key
from bot.request.plan import next_at
from bot.store import audit_trail
from bot.store import inbox as inbox_table
from bot.store.one_open_request import pair_key_of
from bot.store.queues import Queue, place_of, queue_of
from bot.store.schema import inbox, messages, requests

UPDATE_HELD = update(requests).where(
    requests.c.id == bindparam("held_id"), requests.c.version == bindparam("held_version")
)
"""Only the holder of the claim writes a row. Built once: it runs with every step."""


class ClaimLost(Exception):
    """Somebody else holds the row now. An outcome in hand goes into the inbox."""


class SaveRefused(Exception):
    """A guard did not hold: an event has to be absorbed first, or it is too late for an intent."""


@dataclass(frozen=True)
class Claim:
    """The right to write one row, for the work of one queue. It holds until `lease_until`, and only
    while the row still has this `version`. `heard`: numbers of events that `request` has absorbed
    already, and that the next save marks as such. Until then they wait in the inbox, so whoever
    claims the row after us absorbs them anew. `over`: the last save has moved the row into another
    queue, which gave it back as well."""

    request: Request
    version: int
    lease_until: int
    queue: Queue
    heard: tuple[int, ...] = ()
    over: bool = False


def row_of(request: Request) -> dict[str, object]:
    return {
        "id": request.id,
        "state": request.state.value,
        "queue": queue_of(request).value,
        "place": place_of(request),
        "site": request.site,
        "pairing_id": id_key(request.pairing_id),  # compared here alone; the body has it as it came
        "pair_key": pair_key_of(request),
        "requester": request.requester,
        "channel": request.channel,
        "created_at": request.created_at,
        "updated_at": request.updated_at,
        "scheduled_at": request.scheduled_at,
        "execute_by": request.execute_by,
        "body": request.model_dump_json(),
    }


def write_row(
    conn: Connection, claim: Claim, step: Absorbed, now: int, *guards: ColumnElement[bool]
) -> tuple[Claim, bool]:
    """The claim as it is now, and whether the poster has something to do. Raises ClaimLost, or
    SaveRefused where the claim holds and one of `guards` does not."""
    request, version = step.request, claim.version + 1
    over = queue_of(request) is not claim.queue
    columns = {**row_of(request), "version": version}
    if over:
        columns |= {"lease_until": 0, "due_at": next_at(request, request.updated_at)}
    statement = UPDATE_HELD.where(*guards) if guards else UPDATE_HELD
    named = {"held_id": claim.request.id, "held_version": claim.version}
    if conn.execute(statement, {**named, **columns}).rowcount != 1:
        mine = requests.c.id == claim.request.id, requests.c.version == claim.version
        raise SaveRefused if conn.execute(select(exists().where(*mine))).scalar() else ClaimLost
    for number in claim.heard:
        inbox_table.mark_absorbed(conn, number, now)
    posts = write_rest(conn, claim.request, step, version, now)
    lease_until = 0 if over else claim.lease_until
    return Claim(request, version, lease_until, claim.queue, over=over), posts


def write_rest(
    conn: Connection, before: Request | None, step: Absorbed, version: int, now: int
) -> bool:
    """All but the row itself, which has this version now. Whether the poster has something to do.
    The audit trail comes last: every writer locks its head."""
    request = step.request
    wanted = changed_messages(before, request)
    if step.number:
        inbox_table.mark_absorbed(conn, step.number, now)
    due_at = messages_due_at(request, now)
    want(conn, request, wanted, version, now, due_at)
    add_answers(conn, request.id, step.answers, now, due_at)
    audit_trail.append(conn, request.id, step.entries)
    return bool(wanted or step.answers)


# ---- messages -----------------------------------------------------------------------------------

BEHIND_THE_DELETE_MS = 100
"""While a DELETE comes next, what Slack should show is due this much later: to draw and send it
would take the interpreter from the DELETE (measured: a fifth of the time from the click). Nobody
sees so short a wait, and what comes of the DELETE goes at once."""


def messages_due_at(request: Request, now: int) -> int:
    """Of a step that is saved now (ms epoch)."""
    delete_is_next = request.state in (State.APPROVED, State.DELETING)
    late = delete_is_next and not request.waits_for_its_time
    return now + BEHIND_THE_DELETE_MS if late else now


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
_DUE = bindparam("due", type_=BigInteger)
_WANT = (
    update(messages)
    .where(
        messages.c.request_id == bindparam("of_request"), messages.c.slot == bindparam("in_slot")
    )
    .values(
        wanted=bindparam("wanted"),
        due_at=case((messages.c.not_before > _DUE, messages.c.not_before), else_=_DUE),
    )
)

_CARD_KNOWN = update(messages).where(
    messages.c.request_id == bindparam("of_request"),
    messages.c.slot == Slot.CARD.value,
    messages.c.ts.is_(None),
)
_EVENT = select(inbox).where(inbox.c.number == bindparam("number"))


def want(
    conn: Connection,
    request: Request,
    wanted: Sequence[Message],
    version: int,
    now: int,
    due_at: int,
) -> None:
    """These messages are due, since the row has this version now: in the transaction that changes
    it. How they look is found out when they are sent."""
    for message in wanted:
        named = {"of_request": request.id, "in_slot": message.slot}
        changed = conn.execute(_WANT, {**named, "wanted": version, "due": due_at})
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
                due_at=due_at,
            )
    if request.card_ts:
        # The card may be known from a click that was quicker than Slack's answer to the post.
        conn.execute(_CARD_KNOWN, {"of_request": request.id, "ts": request.card_ts})


def add_answers(
    conn: Connection,
    request_id: str,
    answers: Sequence[Answer],
    now: int,
    due_at: int | None = None,
) -> None:
    """Words for one person: to the `response_url` of the event they answer."""
    for answer in answers:
        event = conn.execute(_EVENT, {"number": answer.event}).one_or_none()
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
            due_at=due_at or now,
        )


def add(
    conn: Connection, request_id: str, message: Message, now: int, **columns: str | int | None
) -> None:
    """A new message, due at once where `columns` do not say when."""
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
