"""The rows of requests from the side of whoever works on one: made, claimed, saved, released."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, bindparam, exists, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from bot.request.audit import Entry
from bot.request.events import EVENT, Stored
from bot.request.messages import Answer, changed_messages
from bot.request.model import OPEN, Request, State
from bot.request.pairing import id_key, pair_key
from bot.store import audit_trail
from bot.store import inbox as inbox_table
from bot.store.database import Database
from bot.store.outbox import add_answers, want
from bot.store.queues import FIRST_WITHOUT_ROW, POST, Queue, claimable, next_due, queue_of
from bot.store.schema import inbox, requests

# Built once each: they run with every step of every request.
_UPDATE = update(requests).where(
    requests.c.id == bindparam("held_id"), requests.c.version == bindparam("held_version")
)
_LOCKED = select(requests.c.version).where(requests.c.id == bindparam("id")).with_for_update()


class ClaimLost(Exception):
    """Somebody else holds the row now. An outcome in hand goes into the inbox."""


class PairingTakenBy(Exception):
    """Another open request holds the pairing. `site` is given when that is at another site, where
    it holds the other end of the same pairing."""

    def __init__(self, other: str, site: str | None = None) -> None:
        super().__init__(other)
        self.other = other
        self.site = site


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


@dataclass(frozen=True)
class Saving:
    """All that one step stores in one transaction. `absorbed`: the number of its event, 0 for one
    that never went through the inbox. `due_at`: when the next queue has something to do, where the
    step ends the work of this one."""

    request: Request
    absorbed: int = 0
    entries: tuple[Entry, ...] = ()
    answers: tuple[Answer, ...] = ()
    due_at: int | None = None


OnSaved = Callable[[Request | None, Sequence[Entry]], None]
"""The request as it is now, where there is one, and what the audit trail says of the step."""


@dataclass
class Requests:
    """The worker's side of the store. `lease_ms`: how long a claim holds. `on_saved` is told of
    each step after its commit; it must not raise."""

    db: Database
    lease_ms: int
    on_saved: OnSaved = lambda _request, _entries: None

    def __post_init__(self) -> None:
        self.now = self.db.clock

    # ---- what has no row yet --------------------------------------------------------------------

    def event_without_row(self) -> tuple[str, Stored] | None:
        """The oldest event of a request that has no row: somebody asked, or clicked on a request
        that does not exist."""
        with self.db.read() as conn:
            row = conn.execute(FIRST_WITHOUT_ROW).one_or_none()
        if row is None:
            return None
        event = EVENT.validate_json(row.body)
        return row.request_id, Stored(number=row.number, at=row.at, event=event)

    def insert_row(self, saving: Saving) -> bool:
        """Insert a new row, due at once; False when another copy was quicker."""
        row = {**_row_of(saving.request), "version": 1, "lease_until": 0}
        try:
            with self.db.write() as conn:
                now = self.db.now(conn)
                conn.execute(insert(requests).values(**row, due_at=now))
                posts = _store_rest(conn, None, saving, 1, now)
        except IntegrityError:
            return False
        self._told(saving, posts)
        return True

    def dismiss(
        self, request_id: str, stored: Stored, answers: Iterable[Answer], entries: Iterable[Entry]
    ) -> None:
        """An event of a request that does not exist: answered, kept in the audit trail, done."""
        entries = tuple(entries)
        with self.db.write() as conn:
            now = self.db.now(conn)
            if not inbox_table.mark_absorbed(conn, stored.number, now):
                return  # another copy was quicker
            add_answers(conn, request_id, tuple(answers), now)
            audit_trail.append(conn, request_id or None, entries)
        self.on_saved(None, entries)
        self.db.wakes.wake(POST)

    # ---- one row --------------------------------------------------------------------------------

    def claim(self, queue: Queue, without: Collection[str] = ()) -> Claim | None:
        """A due row of this queue that nobody holds, at none of the sites in `without`: enough
        threads of this copy are at those."""
        with self.db.write() as conn:
            now = self.db.now(conn)
            values = {"without": sorted(without)} if without else {}
            query = claimable(queue, bool(without))
            row = conn.execute(query, {"now": now, **values}).one_or_none()
            if row is None:
                return None
            version, lease_until = row.version + 1, now + self.lease_ms
            # Due at the end of the lease, in case the holder dies: it may have absorbed the
            # event that made the row due, and the time set before that may be an hour away.
            leased = {"version": version, "lease_until": lease_until, "due_at": lease_until}
            conn.execute(_UPDATE, {"held_id": row.id, "held_version": row.version, **leased})
        # Read after the commit: a body that a hand has broken keeps its lease, and all others of
        # this queue go on.
        return Claim(Request.model_validate_json(row.body), version, lease_until, queue)

    def next_due(self, queue: Queue, without: Collection[str] = ()) -> int | None:
        """When (ms) the next row is due that `claim` could give: how long a thread may sleep. Only
        by the rows' own times; an event wakes."""
        with self.db.read() as conn:
            values = {"without": sorted(without)} if without else {}
            due: int | None = conn.execute(next_due(queue, bool(without)), values).scalar_one()
            return due

    def events(self, claim: Claim) -> list[Stored]:
        """All that wait and that it has not heard, in the order they came."""
        with self.db.read() as conn:
            waiting = inbox_table.unabsorbed(conn, claim.request.id)
        return [stored for stored in waiting if stored.number not in claim.heard]

    def save(self, claim: Claim, saving: Saving) -> Claim:
        """Raises ClaimLost, or PairingTakenBy when another open request holds this pairing or its
        other end. A row that moves into another queue is given back in the same
        UPDATE, one commit less on the way from a click to its DELETE. The claim is over then."""
        try:
            return self._save(claim, saving)
        except IntegrityError:
            raise self._taken(saving.request) from None

    def save_intent(self, claim: Claim, saving: Saving) -> Claim:
        """With the guards of rule 2 in the same UPDATE. Raises SaveRefused or ClaimLost.

        Wakes nobody: the DELETE must go out within a second. The save of its outcome does."""

        def guards(now: int) -> Sequence[ColumnElement[bool]]:
            at = requests.c.scheduled_at
            its_time = or_(at.is_(None), at <= now)
            approved = requests.c.state == State.APPROVED.value
            return approved, requests.c.execute_by > now, its_time

        return self._save(claim, saving, guards, wakes=False)

    def save_passed(self, claim: Claim, saving: Saving) -> Claim:
        """Save what time alone has done, such as a deadline. Only when no event waits: a click that
        was stored before the deadline counts, however late its commit ended. Raises SaveRefused
        or ClaimLost."""
        return self._save(claim, saving, lambda _now: ())

    def release(self, claim: Claim, due_at: int | None) -> None:
        """Give the row back, in the same queue: whoever releases a row looks for the next one
        anyway, so nobody is woken. Does nothing when the claim is lost."""
        with self.db.write() as conn:
            freed = {"lease_until": 0, "due_at": due_at, "version": claim.version + 1}
            conn.execute(_UPDATE, {**_held(claim), **freed})

    # ---- inside ---------------------------------------------------------------------------------

    def _save(
        self,
        claim: Claim,
        saving: Saving,
        guards: Callable[[int], Sequence[ColumnElement[bool]]] | None = None,
        *,
        wakes: bool = True,
    ) -> Claim:
        """With `guards`, only if they hold and no event of this request waits in the inbox."""
        request, version, queue = saving.request, claim.version + 1, queue_of(saving.request)
        over = queue is not claim.queue
        columns = {**_row_of(request), "version": version}
        if over:
            columns |= {"lease_until": 0, "due_at": saving.due_at}
        statement = _UPDATE
        with self.db.write() as conn:
            # Lock the row first and ask the inbox afterwards. An UPDATE that has to wait for the
            # row sees the inbox as it was before the wait, without a cancel that was stored
            # meanwhile.
            if guards and not self.db.one_writer:
                conn.execute(_LOCKED, {"id": claim.request.id})
            now = self.db.now(conn)
            if guards:
                statement = _UPDATE.where(~_waits(request.id), *guards(now))
            if conn.execute(statement, {**_held(claim), **columns}).rowcount != 1:
                raise SaveRefused if guards and _holds(conn, claim) else ClaimLost
            for number in claim.heard:
                inbox_table.mark_absorbed(conn, number, now)
            posts = _store_rest(conn, claim.request, saving, version, now)
        # Wake the other queue even if nothing is due: an event may be waiting for it already.
        self._told(saving, posts and wakes, *([queue] if over else []))
        return Claim(request, version, 0 if over else claim.lease_until, claim.queue, over=over)

    def _told(self, saving: Saving, posts: bool, *queues: str) -> None:
        """After the commit: whoever woke before it would find nothing and sleep again."""
        self.on_saved(saving.request, saving.entries)
        self.db.wakes.wake(*queues, *([POST] if posts else []))

    def _taken(self, request: Request) -> PairingTakenBy:
        """Whom the unique indexes have met; it may have ended since."""
        here = requests.c.site == request.site
        same = (here & (requests.c.pairing_id == id_key(request.pairing_id))) | (
            requests.c.pair_key == _pair_key(request)
        )
        others = requests.c.state.in_(sorted(OPEN)), requests.c.id != request.id
        with self.db.read() as conn:
            held = conn.execute(
                select(requests.c.id, requests.c.site).where(same, *others).limit(1)
            ).one_or_none()
        if held is None:
            return PairingTakenBy("another request")
        return PairingTakenBy(held.id, held.site if held.site != request.site else None)


def _row_of(request: Request) -> dict[str, object]:
    return {
        "id": request.id,
        "state": request.state.value,
        "site": request.site,
        "pairing_id": id_key(request.pairing_id),  # compared here alone; the body has it as it came
        "pair_key": _pair_key(request),
        "requester": request.requester,
        "channel": request.channel,
        "created_at": request.created_at,
        "updated_at": request.updated_at,
        "scheduled_at": request.scheduled_at,
        "execute_by": request.execute_by,
        "body": request.model_dump_json(),
    }


def _pair_key(request: Request) -> str | None:
    """The same for both ends of a pairing; None for a request that holds none, and where there is
    one appliance: it has one end of each, and two ids of it are two pairings."""
    if request.pairing_id is None or request.snapshot is None or not request.terms.several:
        return None
    return pair_key(request.snapshot)


def _store_rest(
    conn: Connection, before: Request | None, saving: Saving, version: int, now: int
) -> bool:
    """All but the row itself, which has this version now. Whether the poster has something to do.
    The audit trail comes last: every writer locks its head."""
    request = saving.request
    wanted = changed_messages(before, request)
    if saving.absorbed:
        inbox_table.mark_absorbed(conn, saving.absorbed, now)
    want(conn, request, wanted, version, now)
    add_answers(conn, request.id, saving.answers, now)
    audit_trail.append(conn, request.id, saving.entries)
    return bool(wanted or saving.answers)


def _held(claim: Claim) -> dict[str, object]:
    """The row as it was when it was last read."""
    return {"held_id": claim.request.id, "held_version": claim.version}


def _holds(conn: Connection, claim: Claim) -> bool:
    mine = requests.c.id == claim.request.id, requests.c.version == claim.version
    return conn.execute(select(exists().where(*mine))).scalar_one()


def _waits(request_id: str) -> ColumnElement[bool]:
    return exists().where(inbox.c.request_id == request_id, inbox.c.absorbed_at.is_(None))
