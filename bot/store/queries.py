"""What people and `/metrics` read: lists of requests, figures, and what Slack does not show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, exists, func, or_, select

from bot.request.lookup_results import Figures
from bot.request.messages import NO_LONGER_WANTED, Unsaid
from bot.request.model import OPEN, Request, State
from bot.request.pairing import Snapshot, id_key, same_pairing
from bot.store.database import Database
from bot.store.one_open_request import pair_key_of
from bot.store.schema import GLASS_BROKEN, audit, messages, requests, shared
from bot.store.set_aside import request_in

_OPEN = sorted(state.value for state in OPEN)
_ROW = select(requests.c.id, requests.c.body)
_WITH_INTENT = (State.DELETING, State.FOLLOWING, State.SUCCEEDED, State.FAILED, State.ATTENTION)


@dataclass(frozen=True)
class Overview:
    """Requests as `status`, `list`, the Home tab, the command line and the worker read them."""

    db: Database

    def now(self) -> int:
        """The time in ms, to show when something was read."""
        return self.db.about_now()

    def get(self, request_id: str) -> Request | None:
        """Raises ValidationError where it cannot be read; lists are without such a row."""
        query = select(requests.c.body).where(requests.c.id == request_id)
        with self.db.read() as conn:
            body = conn.execute(query).scalar_one_or_none()
        return None if body is None else Request.model_validate_json(body)

    def newest(self, state: State | None = None, limit: int | None = None) -> Sequence[Request]:
        return self._read(*([requests.c.state == state.value] if state else []), limit=limit)

    def unfinished(self) -> Sequence[Request]:
        """All that have not ended, oldest first."""
        return self._read(requests.c.state.in_(_OPEN))[::-1]

    def ended(self, limit: int) -> Sequence[Request]:
        """Those that ended, the latest end first."""
        return self._read(requests.c.state.not_in(_OPEN), limit=limit, latest=True)

    def unresolved(self) -> Sequence[Request]:
        """Those in `attention` that nobody has settled, oldest first. Of these states there are
        few, ever."""
        found = self._read(requests.c.state == State.ATTENTION.value)
        return [each for each in found if each.unresolved][::-1]

    def asked_by(self, person: str, limit: int) -> Sequence[Request]:
        """What this person asked for, the newest first."""
        return self._read(requests.c.requester == person, limit=limit)

    def unclear(self, snapshot: Snapshot) -> Request | None:
        """The latest request of this pairing that nobody has settled, else the latest that somebody
        has. Told by the ids of the pairing and of its two vCenters, never by the site, whose name
        in the settings may change."""
        ended = self._read(requests.c.state == State.ATTENTION.value)
        same = [r for r in ended if r.snapshot and same_pairing(r.snapshot, snapshot)]
        return next((r for r in same if r.unresolved), same[0] if same else None)

    def superseded(self, request: Request) -> bool:
        """Whether a later request of the same pairing has, or had, an intent. No row is read."""
        same = [requests.c.pairing_id == id_key(request.pairing_id)]
        if (key := pair_key_of(request)) is not None:
            same.append(requests.c.pair_key == key)
        later = exists().where(
            requests.c.created_at >= request.created_at,
            requests.c.id != request.id,
            requests.c.state.in_([state.value for state in _WITH_INTENT]),
            or_(*same),
        )
        with self.db.read() as conn:
            return bool(conn.execute(select(later)).scalar_one())

    def followed(self, request: Request) -> tuple[int, int]:
        """The place of this one, from 0, among those whose tasks are followed at its site by all
        copies of the bot, and how many these are."""
        before = func.count().filter(requests.c.id < request.id)
        query = select(before, func.count()).where(
            requests.c.state == State.FOLLOWING.value, requests.c.site == request.site
        )
        with self.db.read() as conn:
            place, followed = conn.execute(query).one()
        return place, followed

    def _read(
        self, *where: ColumnElement[bool], limit: int | None = None, latest: bool = False
    ) -> list[Request]:
        order = requests.c.updated_at if latest else requests.c.created_at
        query = _ROW.where(*where).order_by(order.desc(), requests.c.id.desc())
        with self.db.read() as conn:
            rows = conn.execute(query.limit(limit)).all()
        return self._readable(rows)

    def _readable(self, rows: Sequence[Any]) -> list[Request]:
        found = (request_in(self.db, row.id, row.body) for row in rows)
        return [request for request in found if request is not None]


_BY_STATE = select(requests.c.state, func.count()).group_by(requests.c.state)
_SHARED = select(shared.c.key, shared.c.value).where(
    shared.c.key.in_(bindparam("keys", expanding=True))
)
# Written exactly as in the index: with a parameter neither database would use that.
_GLASS_BROKEN = select(func.count(audit.c.number)).where(GLASS_BROKEN)


def figures(db: Database, keys: Sequence[str]) -> Figures:
    """What `/metrics` reads, in one view. `keys` are those of the values that all copies share.
    Raises what the database raises.

    A scrape may come every few seconds, so no query reads the rows of ended requests. With 100,000
    of them it takes milliseconds."""
    with db.read() as conn:
        now = db.now(conn)
        waiting, unposted = _messages(conn, now)
        oldest, scheduled = _oldest(db, conn, now)
        return Figures(
            at=now,
            by_state={row[0]: row[1] for row in conn.execute(_BY_STATE)},
            oldest_ms=oldest,
            scheduled=scheduled,
            waiting=waiting,
            unposted_ms=unposted,
            shared={row.key: row.value for row in conn.execute(_SHARED, {"keys": keys})},
            glass_broken=conn.execute(_GLASS_BROKEN).scalar_one(),
        )


def _oldest(db: Database, conn: Connection, now: int) -> tuple[dict[str, int], int]:
    """The age in ms of the oldest open request of each state, and how many wait for their time. No
    column says when a state began, so the open rows are read: at most one for each pairing, and
    those that are being checked."""
    found: dict[str, int] = {}
    scheduled = 0
    for row in conn.execute(_ROW.where(requests.c.state.in_(_OPEN))):
        request = request_in(db, row.id, row.body)
        if request is None:
            continue
        state = request.state.value
        found[state] = max(0, now - _began(request), found.get(state, 0))
        scheduled += request.state is State.APPROVED and (request.scheduled_at or 0) > now
    return found, scheduled


def _began(request: Request) -> int:
    """When the state began; for `following`, when the DELETE was sent that led to it. What is
    approved ahead is not late before its time."""
    match request.state:
        case State.PENDING:
            began = request.pending_since
        case State.APPROVED:
            began = request.approved_at and max(request.approved_at, request.scheduled_at or 0)
        case State.DELETING | State.FOLLOWING:
            began = request.intent.at if request.intent else None
        case _:
            began = None
    return request.created_at if began is None else began


def _messages(conn: Connection, now: int) -> tuple[dict[str, int], dict[str, int]]:
    """By kind: how many messages wait, and the age in ms of the oldest that was never shown."""
    columns = (messages.c.slot, messages.c.shown, messages.c.created_at)
    waiting: Counter[str] = Counter()
    unposted: dict[str, int] = {}
    for row in conn.execute(select(*columns).where(messages.c.due_at.isnot(None))):
        kind = row.slot.partition(":")[0]
        waiting[kind] += 1
        if row.shown is None:
            unposted[kind] = max(now - row.created_at, unposted.get(kind, 0))
    return dict(waiting), unposted


def unsaid(db: Database, request_id: str) -> list[Unsaid]:
    """Messages that wait and messages that were given up, oldest first."""
    missing = or_(messages.c.due_at.isnot(None), messages.c.last_error != NO_LONGER_WANTED)
    query = (
        select(messages)
        .where(messages.c.request_id == request_id, missing)
        .order_by(messages.c.created_at, messages.c.slot)
    )
    with db.read() as conn:
        return [
            Unsaid(
                slot=row.slot,
                error=row.last_error,
                attempts=row.attempts,
                posted=row.ts is not None,
                since=row.created_at,
                due_at=row.due_at,
            )
            for row in conn.execute(query)
        ]
