"""The rows of requests: read, made from what somebody asked, and what one step stores of them.
`claims` is the side of whoever works on one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, bindparam, func, insert, select
from sqlalchemy.exc import IntegrityError

from bot.request.audit import Entry
from bot.request.events import EVENT, Stored
from bot.request.messages import Answer, changed_messages
from bot.request.model import OPEN, Request, State
from bot.request.pairing import Snapshot, id_key, same_pairing
from bot.store import audit, inbox
from bot.store.database import Database
from bot.store.due import first_without_row
from bot.store.schema import requests
from bot.store.wakes import Room
from bot.store.wanted import add_answers, want


@dataclass(frozen=True)
class Saving:
    """All that one step stores in one transaction. `absorbed`: the number of its event, 0 for one
    that never went through the inbox. `due_at`: when the next lane has something to do, where the
    step ends the work of this one."""

    request: Request
    absorbed: int = 0
    entries: tuple[Entry, ...] = ()
    answers: tuple[Answer, ...] = ()
    due_at: int | None = None


OnSaved = Callable[[Request | None, Sequence[Entry]], None]
"""The request as it is now, where there is one, and what the audit trail says of the step."""


def row_of(request: Request) -> dict[str, object]:
    return {
        "id": request.id,
        "state": request.state.value,
        "site": request.site,
        "pairing_id": id_key(request.pairing_id),  # compared here alone; the body has it as it came
        "requester": request.requester,
        "channel": request.channel,
        "created_at": request.created_at,
        "updated_at": request.updated_at,
        "scheduled_at": request.scheduled_at,
        "execute_by": request.execute_by,
        "body": request.model_dump_json(),
    }


def store_rest(
    conn: Connection, before: Request | None, saving: Saving, version: int, now: int
) -> bool:
    """All but the row itself, which has this version now. Whether the poster has something to do.
    The audit trail comes last: every writer locks its head."""
    request = saving.request
    wanted = changed_messages(before, request)
    if saving.absorbed:
        inbox.mark_absorbed(conn, saving.absorbed, now)
    want(conn, request, wanted, version, now)
    add_answers(conn, request.id, saving.answers, now)
    audit.append(conn, request.id, saving.entries)
    return bool(wanted or saving.answers)


@dataclass
class Requests:
    db: Database

    def now(self) -> int:
        return self.db.clock()

    def get(self, request_id: str) -> Request | None:
        with self.db.read() as conn:
            body = conn.execute(
                select(requests.c.body).where(requests.c.id == request_id)
            ).scalar_one_or_none()
        return Request.model_validate_json(body) if body else None

    def newest(self, state: State | None = None, limit: int | None = None) -> list[Request]:
        query = select(requests.c.body).order_by(requests.c.created_at.desc(), requests.c.id.desc())
        if state:
            query = query.where(requests.c.state == state.value)
        with self.db.read() as conn:
            return _read(conn.execute(query.limit(limit)))

    def same_pairing(self, request: Request, states: Sequence[State]) -> list[Request]:
        """Other requests of the same pairing in one of these states, newest first, whatever its
        site is called and at whichever of its ends they were made."""
        if request.snapshot is None:
            return []
        with self.db.read() as conn:
            found = of_same_pairing(conn, request.snapshot, states)
        return [each for each in found if each.id != request.id]

    def followed(self, site: str) -> int:
        """How many tasks are followed at this site, by all copies of the bot."""
        following = requests.c.state == State.FOLLOWING.value
        query = select(func.count()).select_from(requests)
        with self.db.read() as conn:
            return conn.execute(query.where(following, requests.c.site == site)).scalar_one()


def _read(rows: Iterable[Row[tuple[str]]]) -> list[Request]:
    return [Request.model_validate_json(row.body) for row in rows]


_IN_STATES = (
    select(requests.c.body)
    .where(
        requests.c.pairing_id.is_not(None),
        requests.c.state.in_(bindparam("states", expanding=True)),
    )
    .order_by(requests.c.created_at.desc(), requests.c.id.desc())
)


def of_same_pairing(conn: Connection, snapshot: Snapshot, states: Iterable[State]) -> list[Request]:
    """Those in one of these states, newest first. Told by the ids of the pairing and of its two
    vCenters and never by the site, whose name in the settings may change. Reads all in these
    states: open and unclear ones are few."""
    rows = conn.execute(_IN_STATES, {"states": [state.value for state in states]})
    found = (Request.model_validate_json(row.body) for row in rows)
    return [each for each in found if each.snapshot and same_pairing(each.snapshot, snapshot)]


def holder_of_other_end(conn: Connection, request: Request) -> tuple[str, str] | None:
    """Id and site of the open request that holds the pairing's other end."""
    if request.snapshot is None:
        return None
    held = of_same_pairing(conn, request.snapshot, OPEN)
    return next(((each.id, each.site) for each in held if each.site != request.site), None)


@dataclass
class NewRequests(Requests):
    """Events of requests that have no row: an `Asked` becomes one, all others are answered and kept
    in the audit trail. `on_saved` is told of each step after its commit; it must not raise."""

    on_saved: OnSaved = lambda _request, _entries: None

    def event_without_row(self) -> tuple[str, Stored] | None:
        """The oldest event of a request that has no row: somebody asked, or clicked on a request
        that does not exist."""
        with self.db.read() as conn:
            row = conn.execute(first_without_row()).one_or_none()
        if row is None:
            return None
        event = EVENT.validate_json(row.body)
        return row.request_id, Stored(number=row.number, at=row.at, event=event)

    def insert_row(self, saving: Saving) -> bool:
        """Insert a new row, due at once; False when another copy was quicker."""
        request = saving.request
        try:
            with self.db.write() as conn:
                now = self.db.now(conn)
                conn.execute(
                    insert(requests).values(**row_of(request), version=1, due_at=now, lease_until=0)
                )
                posts = store_rest(conn, None, saving, 1, now)
        except IntegrityError:
            return False
        self._committed(saving, posts)
        return True

    def dismiss(
        self, request_id: str, stored: Stored, answers: Iterable[Answer], entries: Iterable[Entry]
    ) -> None:
        """An event of a request that does not exist: answered, kept in the audit trail, done."""
        with self.db.write() as conn:
            now = self.db.now(conn)
            if not inbox.mark_absorbed(conn, stored.number, now):
                return  # another copy was quicker
            add_answers(conn, request_id, tuple(answers), now)
            entries = tuple(entries)
            audit.append(conn, request_id or None, entries)
        self.on_saved(None, entries)
        self.db.wakes.wake(Room.POST)

    def _committed(self, saving: Saving, posts: bool, *rooms: Room) -> None:
        self.on_saved(saving.request, saving.entries)
        # After the commit: whoever woke before it would find nothing and sleep again.
        if posts:
            rooms = (*rooms, Room.POST)
        if rooms:
            self.db.wakes.wake(*rooms)
