"""The inbox: what happened and is not yet absorbed, unique by where it came from."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.core.events import EVENT, Event, Stored
from bot.store.database import Database, Room
from bot.store.schema import inbox


_UNABSORBED = (  # built once: asked before every step of every request
    select(inbox.c.number, inbox.c.at, inbox.c.body)
    .where(inbox.c.request_id == bindparam("request_id"), inbox.c.absorbed_at.is_(None))
    .order_by(inbox.c.number)
)


class Inbox:
    """Implements `bot.core.delivery.InboxPort`."""

    def __init__(self, db: Database) -> None:
        self._db = db

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
            with self._db.write() as conn:
                if response_url is None and answer_via is not None:
                    response_url = conn.execute(
                        select(inbox.c.response_url).where(inbox.c.number == answer_via)
                    ).scalar_one_or_none()
                number = add(conn, self._db.now(conn), event, origin, request_id, response_url)
        except IntegrityError:
            return None  # the same origin again: Slack repeats what it saw no answer to
        self._db.wakes.wake(Room.CHECK if event.kind == "asked" else Room.ACT)
        return number


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
        insert(inbox)
        .values(
            origin=origin,
            request_id=request_id,
            kind=event.kind,
            body=event.model_dump_json(),
            response_url=response_url,
            at=now,
        )
        .returning(inbox.c.number)
    )
    return int(row.scalar_one())


def unabsorbed(conn: Connection, request_id: str) -> list[Stored]:
    """In the order they came."""
    rows = conn.execute(_UNABSORBED, {"request_id": request_id})
    return [Stored(number=r.number, at=r.at, event=EVENT.validate_json(r.body)) for r in rows]


def mark_absorbed(conn: Connection, numbers: list[int], now: int) -> None:
    if numbers:
        conn.execute(update(inbox).where(inbox.c.number.in_(numbers)).values(absorbed_at=now))
