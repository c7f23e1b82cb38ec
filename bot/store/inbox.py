"""The inbox: what happened and is not yet absorbed, unique by where it came from."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.core.events import EVENT, Event, Opened, Stored, person_of
from bot.store.database import Database
from bot.store.lanes import Lane, lane_of_row
from bot.store.schema import inbox, requests

ROWLESS = frozenset({"asked", "misdirected", "ask_refused"})
"""Events that come before any row, or without one: those who check look after them."""

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
_LANE = select(lane_of_row).where(requests.c.id == bindparam("request_id"))
_LANE_AND_LOCK = _LANE.with_for_update(read=True)


class Inbox:
    """Implements `bot.core.delivery.InboxPort`."""

    def __init__(self, db: Database, within_s: float | None = None) -> None:
        """`within_s`: for whoever has to answer Slack in time. Nothing is stored later than that,
        behind the back of somebody who was told that it may not have been taken."""
        self._db = db
        self._within_s = within_s

    def put(
        self,
        event: Event,
        *,
        origin: str,
        request_id: str,
        response_url: str | None = None,
        answer_via: int | None = None,
    ) -> int | None:
        try:
            with self._db.write(self._within_s) as conn:
                if response_url is None and answer_via is not None:
                    response_url = _address_of(conn, answer_via, event)
                lane = self._lane(conn, event, request_id)
                number = add(conn, self._db.now(conn), event, origin, request_id, response_url)
        except IntegrityError:
            return None  # the same origin again: Slack repeats what it saw no answer to
        if not _only_address(event):
            # Where the row is in hand it may be in another lane by now: who has it there tells its
            # threads when it comes to them.
            self._db.wakes.wake(lane.room)
        return number

    def _lane(self, conn: Connection, event: Event, request_id: str) -> Lane:
        """Of the request that it is about: whose threads have to be told."""
        rowless = event.kind in ROWLESS
        if self._db.one_writer and rowless:
            return Lane.CHECK  # without a question: this is every command
        # The lock is held until the commit: the intent of the same request is stored before this
        # event or after it, never beside it.
        query = _LANE if self._db.one_writer else _LANE_AND_LOCK
        lane = conn.execute(query, {"request_id": request_id}).scalar_one_or_none()
        return Lane.CHECK if rowless or lane is None else Lane(lane)

    def address(self, number: int) -> str | None:
        with self._db.read() as conn:
            url: str | None = conn.execute(
                select(inbox.c.response_url).where(inbox.c.number == number)
            ).scalar_one_or_none()
            return url


def _address_of(conn: Connection, number: int, event: Event) -> str | None:
    """Of the event that opened a form, for what was sent with the form. Its number came back from a
    person's client: nobody is told what another one did."""
    opened = conn.execute(
        select(inbox.c.response_url, inbox.c.body).where(inbox.c.number == number)
    ).one_or_none()
    if opened is None or person_of(EVENT.validate_json(opened.body)) != person_of(event):
        return None
    url: str | None = opened.response_url
    return url


def add(
    conn: Connection,
    now: int,
    event: Event,
    origin: str,
    request_id: str,
    response_url: str | None = None,
) -> int:
    """Within a transaction. Raises IntegrityError when the origin was there before."""
    row = conn.execute(
        _INSERT,
        {
            "origin": origin,
            "request_id": request_id,
            "kind": event.kind,
            "body": event.model_dump_json(),
            "response_url": response_url,
            "at": now,
            # Left unabsorbed, it would be taken for a click on a request that does not exist, and
            # every form that was closed again would be looked at for ever.
            "absorbed_at": now if _only_address(event) else None,
        },
    )
    return int(row.scalar_one())


def unabsorbed(conn: Connection, request_id: str) -> list[Stored]:
    """In the order they came."""
    rows = conn.execute(_UNABSORBED, {"request_id": request_id})
    return [Stored(number=r.number, at=r.at, event=EVENT.validate_json(r.body)) for r in rows]


def unabsorbed_numbers(conn: Connection, request_id: str) -> list[int]:
    """Without their bodies, of which one may be what nobody can read."""
    return [row.number for row in conn.execute(_UNABSORBED, {"request_id": request_id})]


def mark_absorbed(conn: Connection, number: int, now: int) -> bool:
    """Whether it was not absorbed before."""
    done = conn.execute(_ABSORBED, {"of_number": number, "absorbed_at": now})
    return done.rowcount == 1


def _only_address(event: Event) -> bool:
    return isinstance(event, Opened) and event.only_address
