"""The store of `bot.store`, in dictionaries, a hundred times as quick: for histories without end.

Each method is one transaction, and one is over before the next begins. What PostgreSQL does with
two that are open at once is `tests/store/test_two_at_once.py`'s; that this store does what the real
ones do, `test_stores_agree`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from bot.request.absorb import Dismissed, may_stop
from bot.request.audit_chain import Entry, Head, Record, link
from bot.request.event_changes import Absorbed
from bot.request.events import Event, Stored
from bot.request.model import Readings, Request, State
from bot.request.pairing import Snapshot, pair_key, same_id, same_pairing
from bot.request.plan import next_at
from bot.store.one_open_request import PairingTakenBy
from bot.store.queues import LONGEST_LEASE_MS, Queue, place_of, queue_of
from bot.store.saving import Claim, ClaimLost, SaveRefused, messages_due_at
from tests.life.simulation.memory_outbox import MemoryOutbox, Post, lease_over


class MemoryPauses:
    """What a 429 holds back, by method."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.now = now
        self.until: dict[str, int] = {}

    def left_ms(self, method: str) -> int:
        return max(0, self.until.get(method, 0) - self.now())

    def hold(self, method: str, seconds: int) -> int:
        self.until[method] = max(self.now() + seconds * 1000, self.until.get(method, 0))
        return self.until[method]


@dataclass
class Row:
    request: Request
    version: int
    due_at: int | None
    lease_until: int


@dataclass
class Item:
    number: int
    origin: str
    request_id: str
    event: Event
    at: int
    response_url: str | None
    answer_via: int | None = None
    absorbed_at: int | None = None


@dataclass
class MemoryStore:
    now: Callable[[], int]
    lease_ms: int
    rows: dict[str, Row] = field(default_factory=dict)
    inbox: dict[int, Item] = field(default_factory=dict)
    unabsorbed: dict[int, Item] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    head: Head = field(default_factory=Head)
    origins: set[str] = field(default_factory=set)
    changes: int = 0
    last_number: int = 0
    gaps: bool = True
    """PostgreSQL: a refused row has used up a number."""
    on_saved: Callable[[Request | None, Request], None] = lambda before, after: None
    on_refused: Callable[[Request, list[Item]], None] = lambda request, waiting: None
    on_put: Callable[[Item], None] = lambda item: None

    def __post_init__(self) -> None:
        self.pauses = MemoryPauses(self.now)
        self.outbox = MemoryOutbox(self)

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
        known = origin in self.origins
        if not known or self.gaps:
            self.last_number += 1
        if known:
            return None
        number = self.last_number
        item = Item(number, origin, request_id, event, self.now(), response_url, answer_via)
        self.origins.add(origin)
        self.inbox[number] = self.unabsorbed[number] = item
        self.changes += 1
        self.on_put(item)
        return number

    def _absorbed(self, number: int) -> None:
        item = self.unabsorbed.pop(number, None)
        if item is not None:
            item.absorbed_at = self.now()

    @property
    def items(self) -> list[Item]:
        return list(self.inbox.values())

    def waiting(self, request_id: str | None = None) -> list[Item]:
        """In the order of their numbers."""
        return [i for i in self.unabsorbed.values() if request_id in (None, i.request_id)]

    # ---- requests -----------------------------------------------------------------------------

    def event_without_row(self) -> tuple[str, Stored] | None:
        for item in self.unabsorbed.values():
            if item.request_id not in self.rows:
                return item.request_id, _stored(item)
        return None

    def insert_row(self, step: Absorbed) -> bool:
        request = step.request
        if request.id in self.rows:
            return False
        self.rows[request.id] = Row(request, 1, self.now(), 0)
        self._rest(None, step)
        return True

    def dismiss(self, request_id: str, number: int, left: Dismissed) -> None:
        if number not in self.unabsorbed:
            return
        self._absorbed(number)
        self.outbox.answer(request_id, left.answers, self.now())
        self._chain(request_id, left.entries)
        self.changes += 1

    def claim(self, queue: Queue, wait_s: float = 0.0, left: tuple[str, ...] = ()) -> Claim | None:
        assert not left, "the simulation has one appliance"
        now = self.now()
        row = min(self._claimable(queue, now), key=self._order_of, default=None)
        if row is None:
            return None
        row.version += 1
        row.lease_until = now + self.lease_ms
        row.due_at = row.lease_until
        return Claim(row.request, row.version, row.lease_until, queue)

    def _order_of(self, row: Row) -> tuple[int, bool, int, int]:
        due_at = -1 if row.due_at is None else row.due_at
        nothing_came = not self.waiting(row.request.id)
        return place_of(row.request), nothing_came, due_at, row.request.created_at

    def _claimable(self, queue: Queue, now: int) -> list[Row]:
        with_event = {i.request_id for i in self.unabsorbed.values()}
        return [
            row
            for row in self.rows.values()
            if (
                (row.due_at is not None and row.due_at <= now)
                or row.request.id in with_event
                or row.lease_until > now + LONGEST_LEASE_MS
            )
            and queue_of(row.request) is queue
            and lease_over(row.lease_until, now)
        ]

    def events(self, claim: Claim) -> tuple[int, list[Stored]]:
        waiting = self.waiting(claim.request.id)
        return self.now(), [_stored(i) for i in waiting if i.number not in claim.heard]

    def save(self, claim: Claim, step: Absorbed) -> Claim:
        row = self._held(claim)
        if step.request.state.open and step.request.pairing_id is not None:
            self._pairing_free(step.request)
        return self._write(row, claim, step)

    def save_intent(self, claim: Claim, step: Absorbed) -> Claim:
        now, request = self.now(), self._held(claim).request
        late = request.execute_by is not None and request.execute_by <= now
        early = request.scheduled_at is not None and request.scheduled_at > now
        waiting = [_stored(each) for each in self.waiting(request.id)]
        stopped = may_stop(request, waiting, now)
        if stopped:
            self.on_refused(request, self.waiting(request.id))
        if late or early or stopped or request.state is not State.APPROVED:
            raise SaveRefused
        return self._write(self._held(claim), claim, step)

    def save_passed(self, claim: Claim, step: Absorbed) -> Claim:
        row = self._held(claim)
        if self.waiting(claim.request.id):
            raise SaveRefused
        return self._write(row, claim, step)

    def release(self, claim: Claim, due_at: int | None) -> None:
        row = self.rows[claim.request.id]
        if row.version == claim.version:
            row.lease_until, row.due_at, row.version = 0, due_at, row.version + 1
        self.changes += 1

    def _held(self, claim: Claim) -> Row:
        row = self.rows[claim.request.id]
        if row.version != claim.version:
            raise ClaimLost
        return row

    def _pairing_free(self, request: Request) -> None:
        for row in self.rows.values():
            other = row.request
            holds = other.site == request.site and same_id(other.pairing_id, request.pairing_id)
            holds = holds or _key_of(other) == _key_of(request) is not None
            if holds and other.id != request.id and other.state.open:
                raise PairingTakenBy(other.id)

    def _write(self, row: Row, claim: Claim, step: Absorbed) -> Claim:
        before = row.request
        row.request = step.request.model_copy(update={"readings": Readings()})
        row.version += 1
        for number in claim.heard:
            self._absorbed(number)
        self._rest(before, step)
        over = queue_of(step.request) is not claim.queue
        if over:
            row.lease_until, row.due_at = 0, next_at(step.request, step.request.updated_at)
        return replace(claim, request=step.request, version=row.version, heard=(), over=over)

    def _rest(self, before: Request | None, step: Absorbed) -> None:
        request = step.request
        self._absorbed(step.number)
        self.outbox.want(before, request)
        self.outbox.answer(request.id, step.answers, messages_due_at(request, self.now()))
        self._chain(request.id, step.entries)
        self.changes += 1
        self.on_saved(before, request)

    def _chain(self, request_id: str, entries: Iterable[Entry]) -> None:
        for entry in entries:
            columns = entry.model_dump(mode="json")
            record = link(self.head, {**columns, "request_id": request_id})
            self.head = Head(count=record.number, hash=record.hash)
            self.records.append(record)

    # ---- what is looked up ----------------------------------------------------------------------

    def get(self, request_id: str) -> Request | None:
        row = self.rows.get(request_id)
        return row.request if row else None

    def followed(self, request: Request) -> tuple[int, int]:
        found = (row.request for row in self.rows.values())
        ids = [r.id for r in found if r.site == request.site and r.state is State.FOLLOWING]
        return sum(each < request.id for each in ids), len(ids)

    def unclear(self, snapshot: Snapshot) -> Request | None:
        ended = [r for r in self._like(snapshot) if r.state is State.ATTENTION]
        return max(ended, key=lambda r: (r.unresolved, r.created_at, r.id), default=None)

    def superseded(self, request: Request) -> bool:
        same = self._like(request.snapshot) if request.snapshot else []
        return any(
            r.intent and r.id != request.id and r.created_at >= request.created_at for r in same
        )

    def _like(self, snapshot: Snapshot) -> list[Request]:
        found = [r.request for r in self.rows.values()]
        return [each for each in found if each.snapshot and same_pairing(each.snapshot, snapshot)]

    # ---- for the scheduler and the rules ------------------------------------------------------

    @property
    def posts(self) -> dict[tuple[str, str], Post]:
        return self.outbox.posts

    def has_work(self, queue: Queue) -> bool:
        """Whether a claim may bring something."""
        return bool(self._claimable(queue, self.now()))

    def next_time(self) -> int | None:
        """When something may become due by time alone."""
        now = self.now()
        held: list[Row | Post] = [*self.rows.values(), *self.posts.values()]
        times = [max(x.due_at, x.lease_until) for x in held if x.due_at is not None]
        times += [x.lease_until for x in held]
        times += self.pauses.until.values()
        return min((t for t in times if t > now), default=None)


def _key_of(request: Request) -> str | None:
    known = request.pairing_id is not None and request.terms.several
    return pair_key(request.snapshot) if known and request.snapshot else None


def _stored(item: Item) -> Stored:
    return Stored.model_construct(number=item.number, at=item.at, event=item.event)
