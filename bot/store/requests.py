"""The rows of requests from the side of whoever works on one: made, claimed, saved, released."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import insert

from bot.request.absorb import Dismissed
from bot.request.audit_chain import Entry
from bot.request.event_changes import Absorbed
from bot.request.events import Stored
from bot.request.model import Request
from bot.store import audit_trail
from bot.store import inbox as inbox_table
from bot.store.database import Database
from bot.store.delete_intent import save_intent, save_unless_an_event_waits
from bot.store.faults import Twice
from bot.store.one_open_request import taken_by
from bot.store.queues import AUDIT, FIRST_WITHOUT_ROW, POST, Queue, claimable, next_due, queue_of
from bot.store.saving import (
    UPDATE_HELD,
    Claim,
    add_answers,
    row_of,
    write_rest,
    write_row,
)
from bot.store.schema import requests
from bot.store.set_aside import event_in, request_in

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
        that does not exist. One that cannot be read is passed over for good: nothing waits for
        it."""
        while True:
            with self.db.read() as conn:
                row = conn.execute(FIRST_WITHOUT_ROW).one_or_none()
            if row is None:
                return None
            event = event_in(self.db, row.number, row.body)
            if event is not None:
                return row.request_id, Stored(number=row.number, at=row.at, event=event)
            with self.db.write() as conn:
                inbox_table.mark_absorbed(conn, row.number, self.db.now(conn))

    def insert_row(self, step: Absorbed) -> bool:
        """Insert a new row, due at once; False when another copy was quicker."""
        row = {**row_of(step.request), "version": 1, "lease_until": 0}
        try:
            with self.db.write() as conn:
                now = self.db.now(conn)
                conn.execute(insert(requests).values(**row, due_at=now))
                posts = write_rest(conn, None, step, 1, now)
        except Twice as there:
            if there.rule != "requests_pkey":
                raise
            return False
        self.on_saved(step.request, step.entries)
        # Whoever makes the row may not be who serves its site.
        self.db.wakes.wake(Queue.CHECK, site=step.request.site)
        self.db.wakes.wake(AUDIT, *([POST] if posts else []))
        return True

    def dismiss(self, request_id: str, number: int, left: Dismissed) -> None:
        """An event of a request that does not exist: answered, kept in the audit trail, done."""
        with self.db.write() as conn:
            now = self.db.now(conn)
            if not inbox_table.mark_absorbed(conn, number, now):
                return  # another copy was quicker
            add_answers(conn, request_id, left.answers, now)
            audit_trail.append(conn, request_id or None, left.entries)
        self.on_saved(None, left.entries)
        self.db.wakes.wake(AUDIT, POST)

    # ---- one row --------------------------------------------------------------------------------

    def claim(self, queue: Queue, wait_s: float = 0.0, left: tuple[str, ...] = ()) -> Claim | None:
        """A due row of this queue that nobody holds, at none of the sites in `left`. Where
        there is none it waits until there may be one, by the rows' own times or since something was
        stored, but no longer than `wait_s`; then it is None all the same, and whoever asked asks
        again."""
        with self.db.write() as conn:
            now = self.db.now(conn)
            sites = {"left": left} if left else {}
            row = conn.execute(claimable(queue, bool(left)), {"now": now, **sites}).one_or_none()
            if row is not None:
                version, lease_until = row.version + 1, now + self.lease_ms
                # Due at the end of the lease, in case the holder dies: it may have absorbed the
                # event that made the row due, and the time set before that may be an hour away.
                leased = {"version": version, "lease_until": lease_until, "due_at": lease_until}
                conn.execute(
                    UPDATE_HELD, {"held_id": row.id, "held_version": row.version, **leased}
                )
            elif wait_s:
                due: int | None = conn.execute(next_due(queue, bool(left)), sites).scalar_one()
                wait_s = wait_s if due is None else min(wait_s, max(0.01, (due - now) / 1000))
        if row is None:
            if wait_s:
                self.db.wakes.wait(queue, wait_s, left)
            return None
        # Read after the commit: one that cannot be read keeps its lease, and all others go on.
        request = request_in(self.db, row.id, row.body)
        if request is None:
            return self.claim(queue, wait_s, left)
        return Claim(request, version, lease_until, queue)

    def events(self, claim: Claim) -> tuple[int, list[Stored]]:
        """The time, and then all events that wait and that it has not heard, in the order they
        came. In this order, since a process may freeze in between: a deadline that passes meanwhile
        must not go before a click that was stored in time. Raises Unreadable."""
        with self.db.read() as conn:
            now = self.db.now(conn)
            waiting = inbox_table.unabsorbed(self.db, conn, claim.request.id)
        return now, [stored for stored in waiting if stored.number not in claim.heard]

    def save(self, claim: Claim, step: Absorbed) -> Claim:
        """Raises ClaimLost, or PairingTakenBy when another open request holds this pairing or its
        other end. A row that moves into another queue is given back in the same
        UPDATE, one commit less on the way from a click to its DELETE. The claim is over then."""
        try:
            with self.db.write() as conn:
                saved = write_row(conn, claim, step, self.db.now(conn))
        except Twice as there:
            if not there.rule.startswith("one_open_request"):
                raise
            raise taken_by(self.db, step.request) from None
        return self._told(step, *saved)

    def save_intent(self, claim: Claim, step: Absorbed) -> Claim:
        """See `bot.store.delete_intent`. Wakes no poster: the DELETE must go out within a second.
        The save of its outcome does."""
        saved, _posts = save_intent(self.db, claim, step)
        return self._told(step, saved, posts=False)

    def save_passed(self, claim: Claim, step: Absorbed) -> Claim:
        """Save what time alone has done, such as a deadline. Only when no event waits: a click that
        was stored before the deadline counts, however late its commit ended. Raises SaveRefused
        or ClaimLost."""
        return self._told(step, *save_unless_an_event_waits(self.db, claim, step))

    def release(self, claim: Claim, due_at: int | None) -> None:
        """Give the row back, in the same queue: whoever releases a row looks for the next one
        anyway, so nobody is woken. Does nothing when the claim is lost."""
        with self.db.write() as conn:
            named = {"held_id": claim.request.id, "held_version": claim.version}
            freed = {"lease_until": 0, "due_at": due_at, "version": claim.version + 1}
            conn.execute(UPDATE_HELD, {**named, **freed})

    def _told(self, step: Absorbed, saved: Claim, posts: bool) -> Claim:
        """After the commit: whoever woke before it would find nothing and sleep again."""
        self.on_saved(step.request, step.entries)
        # Wake the other queue even if nothing is due: an event may be waiting for it already.
        if saved.over:
            self.db.wakes.wake(queue_of(saved.request), site=saved.request.site)
        self.db.wakes.wake(AUDIT, *([POST] if posts else []))
        return saved
