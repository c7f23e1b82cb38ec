"""The messages as the poster sees them: which one is due, and what became of it. Final words go
first, then cards, then progress."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from functools import cache
from typing import Any

import structlog
from sqlalchemy import (
    BigInteger,
    Connection,
    Row,
    Select,
    Update,
    and_,
    bindparam,
    case,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from bot.request.events import (
    CardHeldUp,
    CardPosted,
    CardRefused,
    Event,
)
from bot.request.messages import PRIVATE, Answer, Due, Message, Slot
from bot.request.model import Request
from bot.store import audit_trail
from bot.store import inbox as inbox_table
from bot.store.database import Database
from bot.store.faults import fault_of
from bot.store.queues import NET_SECONDS, POST, Queue, lease_over
from bot.store.saving import URGENCY, add
from bot.store.schema import messages, requests
from bot.store.slack_pauses import RESPONSE_URL, paused

log = structlog.get_logger(__name__)

# ---- which is next -------------------------------------------------------------------------------

ANSWER_FIRST_MS = 10_000
"""So long final words wait for the first try of an answer to a click, at most."""


@cache
def sendable() -> Select[Any]:
    """The most urgent message that is due at `:now`, of a request with no message being sent.
    `:calm_since`: since when Slack has accepted all posts. Built once: it runs at every wake."""
    now, calm_since = (bindparam(name, type_=BigInteger) for name in ("now", "calm_since"))
    other = messages.alias()
    same_request = other.c.request_id == messages.c.request_id
    held = exists().where(same_request, ~lease_over(other.c.lease_until, now))
    # Whoever clicked hears of the click before the thread hears how it ended.
    answer_first = and_(
        messages.c.urgency == URGENCY[Slot.FINAL],
        exists().where(
            same_request,
            other.c.answer.isnot(None),
            other.c.due_at.isnot(None),
            other.c.attempts == 0,
            other.c.created_at > now - ANSWER_FIRST_MS,
        ),
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
        .where(
            messages.c.due_at <= now,
            lease_over(messages.c.lease_until, now),
            ~held,
            ~answer_first,
        )
        .order_by(case((first_progress, 0), else_=messages.c.urgency), messages.c.created_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


_IS_ANSWER, _IS_EDIT = messages.c.answer.isnot(None), messages.c.ts.isnot(None)
CALLED_BY = {
    RESPONSE_URL: _IS_ANSWER,
    "chat.update": and_(~_IS_ANSWER, _IS_EDIT),
    "chat.postMessage": and_(~_IS_ANSWER, ~_IS_EDIT),
}
"""By Slack's name of a method, which messages need it."""

# The index is a partial one, on "not null". Without the same words here SQLite does not use it and
# reads every message there ever was.
NEXT_MESSAGE_DUE = select(func.min(messages.c.due_at)).where(
    messages.c.due_at.isnot(None),
    lease_over(messages.c.lease_until, bindparam("now", type_=BigInteger)),
)


def method_of(due: Due) -> str:
    """As in `CALLED_BY`."""
    if due.answer is not None:
        return RESPONSE_URL
    return "chat.postMessage" if due.ts is None else "chat.update"


# ---- as the poster sees them --------------------------------------------------------------------

CARD_GONE = "message_not_found"
"""What an edit of a deleted message is answered (Slack docs, chat.update)."""

PROGRESS_GAP_MS = 2_500
"""Between two edits of the progress message (contract); `chat.update` takes 50 a minute."""

HELD_SECONDS = 0.25
"""Between two looks at what is due and cannot be claimed: another of its request is being sent, or
its method is paused or busy."""

_SAME_IN_DUE = [
    name
    for name in Due.model_fields
    if name in messages.c and name not in ("answer", "lease_until")
]


class Outbox:
    """The `messages` table as the poster sees it. Each method is one short transaction. `lease_ms`:
    how long a message is held while it is sent."""

    def __init__(self, db: Database, lease_ms: int) -> None:
        self._db, self._lease_ms = db, lease_ms
        self.now, self.fault_of = db.clock, fault_of

    def claim(self, busy: Collection[str] = ()) -> Due | None:
        """The most urgent message that is due and that no 429 holds back: final words, answers,
        cards, notices, progress; none that needs one of the methods in `busy`. Replies wait for
        their card. It comes with the row as it is now: nothing may be drawn from an older copy.
        """
        with self._db.write() as conn:
            now = self._db.now(conn)
            pauses = paused(conn, now, *CALLED_BY)
            closed = {*busy, *(name for name, until in pauses.items() if until > now)}
            held_back = [~each for name, each in CALLED_BY.items() if name in closed]
            query = sendable().where(*held_back) if held_back else sendable()
            times = {"now": now, "calm_since": pauses.get("chat.postMessage", 0)}
            row = conn.execute(query, times).one_or_none()
            if row is None:
                return None
            lease_until = now + self._lease_ms
            conn.execute(_one(row).values(lease_until=lease_until))
            gone = row.urgency == URGENCY[Slot.FINAL] and _card_gone(conn, row.request_id)
            more = conn.execute(NEXT_MESSAGE_DUE, {"now": now}).scalar_one()
        if more is not None and more < now + NET_SECONDS * 1000:
            # Nobody else may know of it, and the call of this thread can hang.
            self._db.wakes.wake(POST)
        # Read after the commit: an answer or a row that a hand has broken keeps its lease, and all
        # others go on.
        answer = Answer.model_validate_json(row.answer) if row.answer else None
        with self._db.read() as conn:
            request = request_of(conn, row.request_id)
            if request is not None:
                request = audit_trail.witnessed(conn, request)
            address = inbox_table.address(conn, answer.event, now) if answer else None
        same = {name: getattr(row, name) for name in _SAME_IN_DUE}
        return Due(
            **same,
            at=now,
            lease_until=lease_until,
            request=request,
            answer=answer,
            user=row.person,
            response_url=address,
            card_gone=gone,
        )

    def sent(self, due: Due, *, ts: str | None, digest: str) -> None:
        """Slack shows it, as it did before where `digest` is the one that was shown. For a card,
        `CardPosted` goes into the inbox in the same transaction."""
        # What looks the same was not sent, and holds back no edit that comes at once.
        edited = due.slot == Slot.PROGRESS and digest != due.shown
        gap_ms = PROGRESS_GAP_MS if edited else 0
        settled: dict[str, object] = {
            "ts": func.coalesce(messages.c.ts, ts),
            "shown": digest,
            "attempts": 0,
            "lost": 0,
            "last_error": None,
        }
        posted = CardPosted(ts=ts) if ts is not None else None
        self._settle(due, settled, posted, f"card:{due.request_id}:{ts}", gap_ms=gap_ms)

    def put_off(
        self, due: Due, *, until: int, error: str, refused: bool = False, lost: bool = False
    ) -> None:
        """Slack did not take it this time, or has not said so (`lost`, which is counted). It is not
        tried again before `until` (ms epoch), even if it changes. `refused`: because of the token
        or its scopes; then for a card that was never posted, `CardHeldUp` goes into the inbox."""
        settled: dict[str, object] = {
            "due_at": until,
            "not_before": until,
            "attempts": messages.c.attempts + 1,
            "lost": messages.c.lost + int(lost),
            "last_error": error,
        }
        held_up = CardHeldUp(error=error) if refused else None
        self._settle(due, settled, held_up, f"card-held-up:{due.request_id}:{error}")

    def given_up(self, due: Due, *, error: str) -> None:
        """Slack will never take it. For a card that was never posted, `CardRefused` goes into the
        inbox. Final words that the channel does not take go to each person concerned, once."""
        settled: dict[str, object] = {"due_at": None, "last_error": error}
        refused = CardRefused(error=error)
        self._settle(
            due,
            settled,
            refused,
            f"card-refused:{due.request_id}",
            copies=due.slot in PRIVATE and due.ts is None,
        )

    def _settle(
        self,
        due: Due,
        settled: dict[str, object],
        of_card: Event | None,
        origin: str,
        *,
        gap_ms: int | None = None,
        copies: bool = False,
    ) -> None:
        """What became of the try, and what the row has to hear of a card that was not posted
        before, in one transaction. `gap_ms`: it is shown, and not edited again within that time.
        Whoever was frozen for longer than the lease writes nothing over what the next one has
        found; but a card that stands is heard of, since a second copy becomes a pointer."""
        told = of_card if due.slot == Slot.CARD and due.ts is None else None
        with self._db.write() as conn:
            now = self._db.now(conn)
            if gap_ms is not None:
                # The row may have changed since the claim, and so since it was drawn.
                changed_since, free = messages.c.wanted != due.wanted, now + gap_ms
                settled |= {"not_before": free, "due_at": case((changed_since, free), else_=None)}
            mine = _one(due).where(messages.c.lease_until == due.lease_until)
            if conn.execute(mine.values(**settled, lease_until=0)).rowcount == 0:
                log.warning("message_claim_lost", request=due.request_id, slot=due.slot)
                copies, told = False, told if isinstance(told, CardPosted) else None
            if told is not None:
                # Unless it was stored before, by another sender of the same message.
                with suppress(IntegrityError), conn.begin_nested():
                    inbox_table.add(conn, now, told, origin, due.request_id)
            if copies:
                _copy_to_each(conn, due, now)
        if told is not None and due.request is not None:
            self._db.wakes.wake(Queue.CHECK, site=due.request.site)

    def wait_for_next(self, seconds: float) -> None:
        """Wait until there may be a message to claim, at most this long."""
        if seconds:
            with self._db.read() as conn:
                now = self._db.now(conn)
                due = conn.execute(NEXT_MESSAGE_DUE, {"now": now}).scalar_one()
            if due is not None:
                seconds = min(seconds, (due - now) / 1000 if due > now else HELD_SECONDS)
        self.wait(seconds)

    def wait(self, seconds: float) -> None:
        """Wait until something was stored that may be due, at most this long."""
        if seconds:
            self._db.wakes.wait(POST, seconds)

    def end_waiting(self) -> None:
        """For a stop: whoever waits returns at once, now and later."""
        self._db.wakes.end(POST)


def _one(row: Row[Any] | Due) -> Update:
    """The UPDATE of one message, named by its row or its `Due`."""
    return update(messages).where(
        messages.c.request_id == row.request_id,
        messages.c.slot == row.slot,
    )


def _card_gone(conn: Connection, request_id: str) -> bool:
    card = (messages.c.request_id == request_id) & (messages.c.slot == Slot.CARD.value)
    error = conn.execute(select(messages.c.last_error).where(card)).scalar_one_or_none()
    return error == CARD_GONE


def request_of(conn: Connection, request_id: str) -> Request | None:
    query = select(requests.c.body).where(requests.c.id == request_id)
    body = conn.execute(query).scalar_one_or_none()
    return Request.model_validate_json(body) if body else None


def _copy_to_each(conn: Connection, due: Due, now: int) -> None:
    """The channel does not take the final words: send them to each person who asked or decided."""
    request = request_of(conn, due.request_id)
    if request is None:
        return
    told = dict.fromkeys((request.requester, *request.deciders))
    # `operator:name` is somebody at the command line, with no account in Slack.
    slots = [f"{due.slot}:{who}" for who in told if ":" not in who]
    mine = messages.c.request_id == due.request_id
    there = set(conn.execute(select(messages.c.slot).where(mine)).scalars())
    for slot in slots:
        if slot not in there:
            copy = Message(slot=slot)
            add(conn, due.request_id, copy, now, channel=copy.which, wanted=due.wanted)
