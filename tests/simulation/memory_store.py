"""The store of `bot.store`, in dictionaries: the same transactions, a hundred times as quick.

`test_stores_agree` runs the same histories on this one and on the real one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from bot.core.audit import Head, Record, link
from bot.core.delivery import Due
from bot.core.entries import Answer, Entry
from bot.core.events import CardPosted, CardRefused, Event, Stored
from bot.core.messages import Slot
from bot.core.request import Request, State
from bot.store.outbox import (
    PROGRESS_GAP_MS,
    RESPONSE_URL_MS,
    SENDING_MS,
    URGENCY,
    Wanted,
)
from bot.store.requests import (
    ACT_ORDER,
    Claim,
    ClaimLost,
    IntentRefused,
    PairingTakenBy,
    Saving,
)


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
    absorbed_at: int | None = None


@dataclass
class Post:
    request_id: str
    slot: str
    urgency: int
    channel: str
    thread_ts: str | None
    ts: str | None
    wanted: str
    due_at: int | None
    created_at: int
    shown: str | None = None
    not_before: int = 0
    lease_until: int = 0
    attempts: int = 0
    last_error: str | None = None
    answer: Answer | None = None
    person: str | None = None
    response_url: str | None = None


@dataclass
class MemoryStore:
    """Requests, inbox and outbox in one object: each method is one transaction."""

    clock: Callable[[], int]
    lease_ms: int
    rows: dict[str, Row] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    posts: dict[tuple[str, str], Post] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    head: Head = field(default_factory=Head)
    origins: set[str] = field(default_factory=set)
    changes: int = 0
    on_saved: Callable[[Request | None, Request], None] = lambda before, after: None
    # Switched off by planted bugs alone.
    check_version: bool = True
    check_lease: bool = True
    check_waiting: bool = True
    events_make_due: bool = True
    check_execute_by: bool = True
    due_after_lease: bool = True

    def now(self) -> int:
        return self.clock()

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
        if origin in self.origins:
            return None
        if response_url is None and answer_via is not None:
            response_url = self.items[answer_via - 1].response_url
        return self._add(event, origin, request_id, response_url)

    def _add(
        self, event: Event, origin: str, request_id: str, response_url: str | None = None
    ) -> int:
        self.origins.add(origin)
        item = Item(len(self.items) + 1, origin, request_id, event, self.clock(), response_url)
        self.items.append(item)
        self.changes += 1
        return item.number

    def waiting(self, request_id: str | None = None) -> list[Item]:
        return [
            i for i in self.items if i.absorbed_at is None and request_id in (None, i.request_id)
        ]

    # ---- requests -----------------------------------------------------------------------------

    def unborn(self) -> tuple[str, Stored] | None:
        for item in self.waiting():
            if item.request_id not in self.rows:
                return item.request_id, _stored(item)
        return None

    def bear(self, saving: Saving) -> bool:
        request = saving.request
        if request.id in self.rows:
            return False
        self.rows[request.id] = Row(request, 1, self.clock(), 0)
        self._rest(None, saving)
        return True

    def dismiss(
        self, request_id: str, stored: Stored, answers: Iterable[Answer], entries: Iterable[Entry]
    ) -> None:
        self.items[stored.number - 1].absorbed_at = self.clock()
        self._answers(request_id, answers)
        self._chain(request_id, entries)
        self.changes += 1

    def claim(self, *, checking: bool) -> Claim | None:
        now = self.clock()
        with_event = {i.request_id for i in self.waiting()} if self.events_make_due else set()
        due = [
            row
            for row in self.rows.values()
            if (row.request.state is State.CHECKING) == checking
            and (row.lease_until <= now or not self.check_lease)
            and ((row.due_at is not None and row.due_at <= now) or row.request.id in with_event)
        ]
        if not due:
            return None
        row = min(due, key=_order)
        row.version += 1
        row.lease_until = now + self.lease_ms
        if self.due_after_lease:
            row.due_at = row.lease_until
        return Claim(row.request, row.version, row.lease_until)

    def events(self, claim: Claim) -> list[Stored]:
        return [_stored(i) for i in self.waiting(claim.request.id)]

    def save(self, claim: Claim, saving: Saving) -> Claim:
        row = self._held(claim)
        request = saving.request
        if request.state.open and request.pairing_id:
            for other in self.rows.values():
                mine = other.request.id == request.id
                same = (other.request.site, other.request.pairing_id) == (
                    request.site,
                    request.pairing_id,
                )
                if not mine and same and other.request.state.open:
                    raise PairingTakenBy(other.request.id)
        return self._write(row, claim, saving)

    def save_intent(self, claim: Claim, saving: Saving) -> Claim:
        row = self._held(claim)
        late = row.request.execute_by is not None and row.request.execute_by <= self.clock()
        if (
            row.request.state is not State.APPROVED
            or (late and self.check_execute_by)
            or (self.check_waiting and self.waiting(claim.request.id))
        ):
            raise IntentRefused
        return self._write(row, claim, saving)

    def release(self, claim: Claim, due_at: int | None) -> None:
        row = self.rows[claim.request.id]
        if row.version == claim.version or not self.check_version:
            row.lease_until, row.due_at, row.version = 0, due_at, row.version + 1
        self.changes += 1

    def get(self, request_id: str) -> Request | None:
        row = self.rows.get(request_id)
        return row.request if row else None

    def same_pairing(self, request: Request, states: Sequence[State]) -> list[Request]:
        found = [
            r.request
            for r in self.rows.values()
            if (r.request.site, r.request.pairing_id) == (request.site, request.pairing_id)
            and r.request.id != request.id
            and r.request.state in states
        ]
        return sorted(found, key=lambda r: -r.created_at)

    def _held(self, claim: Claim) -> Row:
        row = self.rows[claim.request.id]
        if self.check_version and row.version != claim.version:
            raise ClaimLost
        return row

    def _write(self, row: Row, claim: Claim, saving: Saving) -> Claim:
        before = row.request
        row.request = saving.request
        row.version += 1
        self._rest(before, saving)
        return Claim(saving.request, row.version, claim.lease_until)

    def _rest(self, before: Request | None, saving: Saving) -> None:
        now, request = self.clock(), saving.request
        for number in saving.absorbed:
            if number:
                self.items[number - 1].absorbed_at = now
        self._want(request, saving.wanted)
        self._answers(request.id, saving.answers)
        self._chain(request.id, saving.entries)
        self.changes += 1
        self.on_saved(before, request)

    def _chain(self, request_id: str, entries: Iterable[Entry]) -> None:
        for entry in entries:
            columns = entry.model_dump(mode="json")
            record = link(self.head, {**columns, "request_id": request_id})
            self.head = Head(count=record.number, hash=record.hash)
            self.records.append(record)

    # ---- outbox -------------------------------------------------------------------------------

    def _want(self, request: Request, wanted: Iterable[Wanted]) -> None:
        now = self.clock()
        for item in wanted:
            slot, kind = item.message.slot, item.message.kind
            known = self.posts.get((request.id, slot))
            if known:
                known.wanted, known.due_at = item.digest, max(now, known.not_before)
                continue
            self.posts[request.id, slot] = Post(
                request_id=request.id,
                slot=slot,
                urgency=URGENCY[kind],
                channel=request.channel,
                thread_ts=request.card_ts if item.message.in_thread else None,
                ts=item.message.which if kind is Slot.STRAY else None,
                wanted=item.digest,
                due_at=now,
                created_at=now,
            )
        card = self.posts.get((request.id, Slot.CARD.value))
        if card and card.ts is None and request.card_ts:
            card.ts = request.card_ts

    def _answers(self, request_id: str, answers: Iterable[Answer]) -> None:
        now = self.clock()
        for answer in answers:
            item = self.items[answer.event - 1]
            slot = f"{Slot.ANSWER}:{answer.event}:{answer.code}"
            self.posts[request_id, slot] = Post(
                request_id=request_id,
                slot=slot,
                urgency=URGENCY[Slot.ANSWER],
                channel=getattr(item.event, "channel", ""),
                thread_ts=None,
                ts=None,
                wanted="",
                due_at=now,
                created_at=now,
                answer=answer,
                person=getattr(item.event, "by", None) or getattr(item.event, "requester", None),
                response_url=item.response_url,
            )

    def claim_post(self, paused: dict[str, int]) -> Due | None:
        now = self.clock()
        held = {p.request_id for p in self.posts.values() if p.lease_until > now}
        due = [
            p
            for p in self.posts.values()
            if p.due_at is not None
            and p.due_at <= now
            and p.request_id not in held
            and not (paused.get(_way(p), 0) > now)
        ]
        if not due:
            return None
        post = min(due, key=lambda p: (_urgency_of(p), p.created_at))
        post.lease_until = now + SENDING_MS
        lapsed = now - post.created_at >= RESPONSE_URL_MS
        return Due(
            request_id=post.request_id,
            slot=post.slot,
            channel=post.channel,
            thread_ts=post.thread_ts,
            ts=post.ts,
            wanted=post.wanted,
            shown=post.shown,
            attempts=post.attempts,
            answer=post.answer,
            user=post.person,
            response_url=None if lapsed else post.response_url,
        )

    def sent(self, due: Due, *, ts: str | None, digest: str) -> None:
        now, post = self.clock(), self.posts[due.request_id, due.slot]
        gap = PROGRESS_GAP_MS if due.slot == Slot.PROGRESS else 0
        changed = post.wanted != due.wanted
        post.ts = post.ts or ts
        post.shown, post.attempts, post.last_error = digest, 0, None
        post.not_before, post.lease_until = now + gap, 0
        post.due_at = now + gap if changed else None
        if due.slot == Slot.CARD and due.ts is None and ts is not None:
            self._tell(due, CardPosted(ts=ts), f"card:{due.request_id}:{ts}")
        self.changes += 1

    def put_off(self, due: Due, *, until: int, error: str) -> None:
        post = self.posts[due.request_id, due.slot]
        post.due_at, post.lease_until = until, 0
        post.attempts, post.last_error = post.attempts + 1, error
        self.changes += 1

    def given_up(self, due: Due, *, error: str) -> None:
        post = self.posts[due.request_id, due.slot]
        post.due_at, post.lease_until, post.last_error = None, 0, error
        if due.slot == Slot.CARD and due.ts is None:
            self._tell(due, CardRefused(error=error), f"card-refused:{due.request_id}")
        self.changes += 1

    def _tell(self, due: Due, event: Event, origin: str) -> None:
        if origin not in self.origins:
            self._add(event, origin, due.request_id)

    # ---- for the scheduler --------------------------------------------------------------------

    def next_time(self) -> int | None:
        """When something may become due by time alone."""
        now = self.clock()
        times = [max(r.due_at, r.lease_until) for r in self.rows.values() if r.due_at is not None]
        times += [r.lease_until for r in self.rows.values() if r.lease_until > now]
        times += [max(p.due_at, p.lease_until) for p in self.posts.values() if p.due_at is not None]
        times += [p.lease_until for p in self.posts.values() if p.lease_until > now]
        return min((t for t in times if t > now), default=None)


class OutboxView:
    """The outbox's names on the store (`claim` means something else there)."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.sent, self.put_off = store.sent, store.put_off
        self.given_up, self.now = store.given_up, store.now

    def claim(self, paused: dict[str, int]) -> Due | None:
        return self._store.claim_post(paused)

    def request(self, request_id: str) -> Request | None:
        return self._store.get(request_id)

    def wait(self, seconds: float) -> None:
        raise AssertionError("the scheduler decides who waits")


def _stored(item: Item) -> Stored:
    return Stored.model_construct(number=item.number, at=item.at, event=item.event)


def _order(row: Row) -> tuple[int, int, int]:
    state = row.request.state
    place = ACT_ORDER.index(state) if state in ACT_ORDER else len(ACT_ORDER)
    return place, row.due_at if row.due_at is not None else -1, row.request.created_at


def _way(post: Post) -> str:
    if post.answer is not None:
        return "answer"
    return "edit" if post.ts is not None else "post"


def _urgency_of(post: Post) -> int:
    first_progress = (
        post.urgency == URGENCY[Slot.PROGRESS] and post.ts is None and post.attempts == 0
    )
    return 0 if first_progress else post.urgency
