"""The inbox: events that are not yet absorbed. Each has an origin, and no origin is stored
twice."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, insert, select, update

from bot.request.events import EVENT, Asked, Event, Opened, Stored, person_of
from bot.request.model import ANY_SITE
from bot.store.database import Database
from bot.store.faults import Twice
from bot.store.per_person import take
from bot.store.queues import Queue
from bot.store.schema import inbox, requests
from bot.store.set_aside import Unreadable, event_in

ROWLESS = frozenset({"asked", "misdirected", "ask_refused"})
"""Events that come before any row, or never have one. They are for the queue CHECK."""

RESPONSE_URL_MS = 30 * 60_000
"""A `response_url` works for 30 minutes (Slack docs, handling interactive payloads)."""

# Built once each: every click and every step of a request runs them, and to build a statement takes
# longer than SQLite does to run it.
_UNABSORBED = (
    select(inbox.c.number, inbox.c.at, inbox.c.body)
    .where(inbox.c.request_id == bindparam("request_id"), inbox.c.absorbed_at.is_(None))
    .order_by(inbox.c.number)
)

_INSERT = insert(inbox).returning(inbox.c.number)
_ABSORBED = update(inbox).where(
    inbox.c.number == bindparam("of_number"), inbox.c.absorbed_at.is_(None)
)
# An index of those that still have one keeps this quick: it is asked every minute.
_ERASE = (
    update(inbox)
    .where(inbox.c.response_url.isnot(None), inbox.c.at <= bindparam("since"))
    .values(response_url=None)
)
_ITSELF = inbox.alias()
_OPENER = select(func.coalesce(_ITSELF.c.answer_via, _ITSELF.c.number)).where(
    _ITSELF.c.number == bindparam("number")
)
_ADDRESS = select(inbox.c.response_url).where(
    inbox.c.number == _OPENER.scalar_subquery(), inbox.c.at > bindparam("since")
)
_QUEUE = select(requests.c.queue, requests.c.site).where(requests.c.id == bindparam("request_id"))
_QUEUE_AND_LOCK = _QUEUE.with_for_update(read=True)


@dataclass(frozen=True)
class Inbox:
    """Where listeners leave events. A listener waits for this commit and for nothing else.
    `within_s`: how long `put` may take. After that time whoever pressed is told that it may not
    have been taken, so it must not be stored any more."""

    db: Database
    within_s: float | None = None

    def put(
        self,
        event: Event,
        *,
        origin: str,
        request_id: str,
        response_url: str | None = None,
        answer_via: int | None = None,
        counted_for: str | None = None,
    ) -> int | None:
        """Store one event and wake the worker. Its number, or None if `origin` was stored before.
        `counted_for`: the person of whose bucket it is one; raises TooOften where that is empty.

        `answer_via` is the number of an earlier event whose `response_url` serves this one too
        (a modal's submission has none of its own).
        """
        try:
            with self.db.write(self.within_s) as conn:
                via = answer_via if response_url is None else None
                if via is not None and not _of_same_person(conn, via, event):
                    via = None
                queue, site = self._queue(conn, event, request_id)
                now = self.db.now(conn)
                number = add(conn, now, event, origin, request_id, response_url, via)
                if counted_for is not None:
                    take(conn, self.db, counted_for)
        except Twice as there:
            if there.rule != "inbox_origin_key":
                raise
            return None  # this origin again: Slack repeats whatever was not answered in time
        if not _only_address(event):
            # If somebody holds the row, it may move into another queue meanwhile. The save that
            # moves it wakes that queue.
            self.db.wakes.wake(queue, site=site)
        return number

    def _queue(self, conn: Connection, event: Event, request_id: str) -> tuple[Queue, str]:
        """The queue and the site whose threads have to be told."""
        rowless = event.kind in ROWLESS
        new = Queue.CHECK, event.site if isinstance(event, Asked) else ANY_SITE
        if self.db.one_writer and rowless:
            return new  # saves every command a query
        # The lock is held until the commit, so that the intent of the same request is stored either
        # before this event or after it, and a stored cancel always wins.
        query = _QUEUE if self.db.one_writer else _QUEUE_AND_LOCK
        row = conn.execute(query, {"request_id": request_id}).one_or_none()
        return new if rowless or row is None else (Queue(row.queue), row.site)

    def stored(self, origin: str) -> Event | None:
        """The event that was stored under this origin, for whoever was told that there is one."""
        with self.db.read() as conn:
            body = conn.execute(
                select(inbox.c.body).where(inbox.c.origin == origin)
            ).scalar_one_or_none()
        return None if body is None else EVENT.validate_json(body)

    def address(self, number: int) -> str | None:
        """The `response_url` that came with an event, for words that may be lost."""
        with self.db.read() as conn:
            return address(conn, number, self.db.now(conn))


def _of_same_person(conn: Connection, number: int, event: Event) -> bool:
    """Whether this number is that of an event of the same person, whose `response_url` may serve
    for the answer. It has been through a person's client: otherwise somebody could have the words
    meant for another."""
    query = select(inbox.c.body).where(inbox.c.number == number)
    opened = conn.execute(query).scalar_one_or_none()
    return opened is not None and person_of(EVENT.validate_json(opened)) == person_of(event)


def address(conn: Connection, number: int, now: int) -> str | None:
    """Where the answer to this event goes: its own `response_url`, or that of the event that opened
    its form, as long as it works."""
    url: str | None = conn.execute(
        _ADDRESS, {"number": number, "since": now - RESPONSE_URL_MS}
    ).scalar_one_or_none()
    return url


def erase_addresses(conn: Connection, now: int) -> None:
    """Those that no longer work: with one anybody could have posted in the channel."""
    conn.execute(_ERASE, {"since": now - RESPONSE_URL_MS})


def add(
    conn: Connection,
    now: int,
    event: Event,
    origin: str,
    request_id: str,
    response_url: str | None = None,
    answer_via: int | None = None,
) -> int:
    """Within a transaction, which refuses an origin that was there before."""
    row = conn.execute(
        _INSERT,
        {
            "origin": origin,
            "request_id": request_id,
            "kind": event.kind,
            "body": event.model_dump_json(),
            "response_url": response_url,
            "answer_via": answer_via,
            "at": now,
            # Kept for its address alone. Left unabsorbed, it would be taken for a click on a
            # request that does not exist, or be looked at for ever.
            "absorbed_at": now if _only_address(event) else None,
        },
    )
    return int(row.scalar_one())


def unabsorbed(db: Database, conn: Connection, request_id: str) -> list[Stored]:
    """In the order they came. Raises Unreadable."""
    waiting = []
    for row in conn.execute(_UNABSORBED, {"request_id": request_id}).all():
        event = event_in(db, row.number, row.body)
        if event is None:
            raise Unreadable
        waiting.append(Stored(number=row.number, at=row.at, event=event))
    return waiting


def mark_absorbed(conn: Connection, number: int, now: int) -> bool:
    """Whether it was not absorbed before."""
    done = conn.execute(_ABSORBED, {"of_number": number, "absorbed_at": now})
    return done.rowcount == 1


def _only_address(event: Event) -> bool:
    """Whether nothing ever absorbs it, because its form is for a request that does not exist yet
    and may never do. It is kept for the `response_url` that it came with."""
    return isinstance(event, Opened) and event.action == "ask"
