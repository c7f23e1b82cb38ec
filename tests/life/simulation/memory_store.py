"""The store of `bot.store`, in dictionaries, a hundred times as quick. By PostgreSQL's rules, READ
COMMITTED: several transactions at once. SQLite's, one after the other, are among its orders.

The rules (PostgreSQL's manual, 13.2.1 and 13.3), as far as the bot's transactions meet them:

- What a transaction writes is seen by nobody before its commit, and its locks are held until then.
- Each statement sees what was committed when it began. One that waited for a row goes on with the
  row as it is then, but with everything else as it was when the statement began; and where the row
  was only locked, not changed, it asks nothing again at all.
- SKIP LOCKED passes over what anybody else has locked.
- A unique value that another one is about to commit is waited for, and refused after its commit.
- Who loses the connection before the commit is undone, and after it not: the client cannot tell.

`test_locks_agree` holds this against the real one. A transaction that a process holds while it is
frozen is ended by the server (`idle_in_transaction_session_timeout`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from sqlalchemy.exc import OperationalError

from bot.request.audit_chain import Entry
from bot.request.events import Event, Stored
from bot.request.messages import Answer, Due
from bot.store.queues import Queue
from bot.store.saving import Claim, Saving
from tests.life.simulation.memory_tables import (
    Item,
    MemoryTables,
    Row,
    key_of,
    lease_over,
    wants_pairing,
)

T = TypeVar("T")
Key = tuple[str, ...]

OPEN, DONE = "commit:before", "commit:after"
"""Where a process can be stopped or cut off inside of a transaction: everything is written and the
commit is not yet asked for; it is committed, and the answer is on its way."""


class Cut(OperationalError):
    """The connection is gone."""

    def __init__(self) -> None:
        super().__init__("simulated", None, Exception("the connection is gone"))


class Scheduler(Protocol):
    def owner(self) -> Any:
        """Whose transaction this is."""
        ...

    def pass_by(self, point: str) -> None:
        """Others may go on, and this one may be killed, frozen or cut off."""
        ...

    def wait(self, until: Callable[[], bool]) -> None: ...


class Alone:
    """One transaction after the other, as where a single thread plays a whole history."""

    def owner(self) -> None:
        return None

    def pass_by(self, point: str) -> None: ...

    def wait(self, until: Callable[[], bool]) -> None:
        raise AssertionError("nobody else holds a lock")


@dataclass(eq=False)
class Transaction:
    """`locks`: what is held, and whether others may share it."""

    owner: Any
    locks: dict[Key, bool] = field(default_factory=dict)
    over: bool = False


@dataclass
class MemoryStore(MemoryTables):
    """Each method is one transaction."""

    scheduler: Scheduler = field(kw_only=True)
    open: list[Transaction] = field(default_factory=list)

    def connection_lost(self, owner: Any) -> None:
        """The server undoes what this process had not committed, and lets go of its locks."""
        for tx in [t for t in self.open if t.owner is owner]:
            self._end(tx)

    @contextmanager
    def _transaction(self) -> Iterator[Transaction]:
        tx = Transaction(self.scheduler.owner())
        self.open.append(tx)
        try:
            yield tx
        finally:
            self._end(tx)

    def _end(self, tx: Transaction) -> None:
        tx.over = True
        if tx in self.open:
            self.open.remove(tx)

    def _lock(self, tx: Transaction, key: Key, *, shared: bool = False) -> None:
        if self._locked(tx, key, shared):
            self.scheduler.wait(lambda: tx.over or not self._locked(tx, key, shared))
            _still(tx)
        tx.locks[key] = shared

    def _locked(self, tx: Transaction, key: Key, shared: bool = False) -> bool:
        for other in self.open:
            if other is not tx and key in other.locks and not (shared and other.locks[key]):
                return True
        return False

    def _commit(self, tx: Transaction, now: int, write: Callable[[], T]) -> T:
        self.scheduler.pass_by(OPEN)
        _still(tx)
        self._at = now
        try:
            result = write()
        finally:
            self._at = None
        self._end(tx)
        self.scheduler.pass_by(DONE)
        return result

    # ---- inbox --------------------------------------------------------------------------------

    def put(
        self,
        event: Event,
        *,
        origin: str,
        request_id: str,
        response_url: str | None = None,
        answer_via: int | None = None,
    ) -> int | None:
        with self._transaction() as tx:
            if request_id in self.rows:
                self._lock(tx, ("request", request_id), shared=True)
            now = self.now()
            self._lock(tx, ("origin", origin))
            number = self._numbered(origin)
            if number is None:
                return None
            item = Item(number, origin, request_id, event, now, response_url, answer_via)
            return self._commit(tx, now, lambda: self._add(item))

    # ---- requests -----------------------------------------------------------------------------

    def insert_row(self, saving: Saving) -> bool:
        with self._transaction() as tx:
            now = self.now()
            self._lock(tx, ("birth", saving.request.id))
            if saving.request.id in self.rows:
                return False
            self._lock(tx, ("head",))
            return self._commit(tx, now, lambda: self._insert(saving))

    def dismiss(
        self, request_id: str, stored: Stored, answers: Iterable[Answer], entries: Iterable[Entry]
    ) -> None:
        with self._transaction() as tx:
            now = self.now()
            self._lock(tx, ("item", str(stored.number)))
            if stored.number not in self.unabsorbed:
                return
            self._lock(tx, ("head",))
            self._commit(tx, now, lambda: self._dismiss(request_id, stored, answers, entries))

    def claim(self, queue: Queue, wait_s: float = 0.0, left: tuple[str, ...] = ()) -> Claim | None:
        assert not left, "the simulation has one appliance"
        with self._transaction() as tx:
            now = self.now()
            seen = sorted(self._claimable(queue, now), key=self.order_of)
            if not seen:
                return None
            self.scheduler.pass_by("read")
            _still(tx)
            row = self._not_locked(tx, seen, queue, now)
            if row is None:
                return None
            version = row.version + 1
            return self._commit(tx, now, lambda: self._taken(row, queue, version, now))

    def _not_locked(self, tx: Transaction, seen: list[Row], queue: Queue, now: int) -> Row | None:
        for row in seen:
            key = ("request", row.request.id)
            if not self._locked(tx, key) and self._free(row, queue, now):
                tx.locks[key] = False
                return row
        return None

    def _taken(self, row: Row, queue: Queue, version: int, now: int) -> Claim:
        if row.version == version - 1:
            return self._claimed(row, queue, now)
        return Claim(row.request, version, now + self.lease_ms, queue)

    def save(self, claim: Claim, saving: Saving) -> Claim:
        with self._transaction() as tx:
            now = self.now()
            self._lock(tx, ("request", claim.request.id))
            row, request = self._held(claim), saving.request
            if wants_pairing(request):
                if request.pairing_id != row.request.pairing_id:
                    self._lock(tx, ("pairing", request.site, request.pairing_id or ""))
                    self._lock(tx, ("pair", key_of(request) or request.id))
                self._pairing_free(request)
            return self._write_last(tx, now, row, claim, saving)

    def save_intent(self, claim: Claim, saving: Saving) -> Claim:
        return self._save_heard(claim, saving, self._may_intend)

    def save_passed(self, claim: Claim, saving: Saving) -> Claim:
        return self._save_heard(claim, saving, lambda _row, _now: None)

    def _save_heard(self, claim: Claim, saving: Saving, guard: Callable[[Row, int], None]) -> Claim:
        with self._transaction() as tx:
            self._lock(tx, ("request", claim.request.id))
            now, row = self.now(), self._held(claim)
            guard(row, now)
            self._heard(claim)
            return self._write_last(tx, now, row, claim, saving)

    def _write_last(
        self, tx: Transaction, now: int, row: Row, claim: Claim, saving: Saving
    ) -> Claim:
        if saving.entries:
            self._lock(tx, ("head",))
        return self._commit(tx, now, lambda: self._write(row, claim, saving))

    def release(self, claim: Claim, due_at: int | None) -> None:
        with self._transaction() as tx:
            self._lock(tx, ("request", claim.request.id))
            self._commit(tx, self.now(), lambda: self._release(claim, due_at))

    # ---- outbox -------------------------------------------------------------------------------

    def claim_post(self) -> Due | None:
        with self._transaction() as tx:
            now = self.now()
            seen = self._sendable(now)
            if not seen:
                return None
            self.scheduler.pass_by("read")
            _still(tx)
            for post in seen:
                key = ("post", post.request_id, post.slot)
                free = lease_over(post.lease_until, now)
                free = free and post.due_at is not None and post.due_at <= now
                if self._locked(tx, key) or not free:
                    continue
                tx.locks[key] = False
                return self._commit(tx, now, lambda post=post: self._claimed_post(post, now))
            return None

    def sent(self, due: Due, *, ts: str | None, digest: str) -> None:
        self._settled(due, lambda: self._sent(due, ts=ts, digest=digest))

    def put_off(
        self, due: Due, *, until: int, error: str, refused: bool = False, lost: bool = False
    ) -> None:
        told = {"error": error, "refused": refused, "lost": lost}
        self._settled(due, lambda: self._put_off(due, until=until, **told))

    def given_up(self, due: Due, *, error: str) -> None:
        self._settled(due, lambda: self._given_up(due, error=error))

    def _settled(self, due: Due, write: Callable[[], None]) -> None:
        with self._transaction() as tx:
            now = self.now()
            self._lock(tx, ("post", due.request_id, due.slot))
            self._commit(tx, now, write)


class OutboxView:
    """The outbox's names on the store (`claim` means something else there)."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.sent, self.put_off = store.sent, store.put_off
        self.given_up, self.now = store.given_up, store.now

    def claim(self, wait_s: float = 0.0) -> Due | None:
        return self._store.claim_post()

    def wait(self, seconds: float) -> None:
        assert not seconds, "the scheduler decides who waits"

    def end_waiting(self) -> None:
        raise AssertionError("the scheduler decides who waits")


def _still(tx: Transaction) -> None:
    if tx.over:
        raise Cut
