"""What the store of `bot.store` keeps and how it changes, in dictionaries: without transactions,
which are in `memory_store.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from bot.request.audit_chain import Entry, Head, Record, link
from bot.request.events import CardHeldUp, CardPosted, CardRefused, Event, Stored
from bot.request.messages import PRIVATE, Answer, Due, Slot, changed_messages
from bot.request.model import Readings, Request, State
from bot.request.pairing import pair_key, same_id, same_pairing
from bot.store.inbox import RESPONSE_URL_MS
from bot.store.one_open_request import PairingTakenBy
from bot.store.outbox import (
    CARD_GONE,
    PROGRESS_GAP_MS,
    SENDING_MS,
)
from bot.store.queues import LONGEST_LEASE_MS, ORDER, Queue, queue_of
from bot.store.saving import URGENCY, Claim, ClaimLost, SaveRefused, Saving


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
class Post:
    request_id: str
    slot: str
    urgency: int
    channel: str
    thread_ts: str | None
    ts: str | None
    wanted: int
    due_at: int | None
    created_at: int
    shown: str | None = None
    not_before: int = 0
    lease_until: int = 0
    attempts: int = 0
    lost: int = 0
    last_error: str | None = None
    answer: Answer | None = None
    person: str | None = None


@dataclass
class MemoryTables:
    """Requests, inbox and outbox in one object."""

    clock: Callable[[], int]
    lease_ms: int
    rows: dict[str, Row] = field(default_factory=dict)
    inbox: dict[int, Item] = field(default_factory=dict)
    unabsorbed: dict[int, Item] = field(default_factory=dict)
    posts: dict[tuple[str, str], Post] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    head: Head = field(default_factory=Head)
    origins: set[str] = field(default_factory=set)
    changes: int = 0
    last_number: int = 0
    gaps: bool = True
    """PostgreSQL: a refused row has used up a number."""
    on_saved: Callable[[Request | None, Request], None] = lambda before, after: None
    on_put: Callable[[Item], None] = lambda item: None

    def __post_init__(self) -> None:
        self._at: int | None = None
        self.pauses = MemoryPauses(self.now)

    def paused_until(self) -> list[int]:
        return list(self.pauses.until.values())

    def now(self) -> int:
        """Inside of a commit the time at which its statements began."""
        return self.clock() if self._at is None else self._at

    # ---- inbox --------------------------------------------------------------------------------

    def _numbered(self, origin: str) -> int | None:
        """The next number, or None when the origin was there before."""
        known = origin in self.origins
        if not known or self.gaps:
            self.last_number += 1
        return None if known else self.last_number

    def _add(self, item: Item) -> int:
        self.origins.add(item.origin)
        self.inbox[item.number] = self.unabsorbed[item.number] = item
        self.changes += 1
        self.on_put(item)
        return item.number

    def _absorbed(self, number: int, now: int) -> None:
        item = self.unabsorbed.pop(number, None)
        if item is not None:
            item.absorbed_at = now

    @property
    def items(self) -> list[Item]:
        return list(self.inbox.values())

    def waiting(self, request_id: str | None = None) -> list[Item]:
        """In the order of their numbers."""
        found = self.unabsorbed.values()
        if request_id is not None:
            found = [i for i in found if i.request_id == request_id]
        return sorted(found, key=_number)

    # ---- requests -----------------------------------------------------------------------------

    def event_without_row(self) -> tuple[str, Stored] | None:
        for item in self.waiting() if self.unabsorbed else ():
            if item.request_id not in self.rows:
                return item.request_id, _stored(item)
        return None

    def _insert(self, saving: Saving) -> bool:
        request = saving.request
        if request.id in self.rows:
            return False
        self.rows[request.id] = Row(request, 1, self.now(), 0)
        self._rest(None, saving)
        return True

    def _dismiss(
        self, request_id: str, stored: Stored, answers: Iterable[Answer], entries: Iterable[Entry]
    ) -> None:
        self._absorbed(stored.number, self.now())
        self._answers(request_id, answers)
        self._chain(request_id, entries)
        self.changes += 1

    def order_of(self, row: Row) -> tuple[int, bool, int, int]:
        state, due_at = row.request.state, row.due_at
        place = ORDER.index(state) if state in ORDER else len(ORDER)
        nothing_came = not any(
            item.request_id == row.request.id for item in self.unabsorbed.values()
        )
        return place, nothing_came, due_at if due_at is not None else -1, row.request.created_at

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
            and self._free(row, queue, now)
        ]

    def _free(self, row: Row, queue: Queue, now: int) -> bool:
        return queue_of(row.request) is queue and lease_over(row.lease_until, now)

    def _claimed(self, row: Row, queue: Queue, now: int) -> Claim:
        row.version += 1
        row.lease_until = now + self.lease_ms
        row.due_at = row.lease_until
        return Claim(row.request, row.version, row.lease_until, queue)

    def events(self, claim: Claim) -> tuple[int, list[Stored]]:
        now, waiting = self.now(), self.waiting(claim.request.id)
        return now, [_stored(i) for i in waiting if i.number not in claim.heard]

    def _pairing_free(self, request: Request) -> None:
        for row in self.rows.values():
            other = row.request
            holds = other.site == request.site and same_id(other.pairing_id, request.pairing_id)
            holds = holds or key_of(other) == key_of(request) is not None
            if holds and other.id != request.id and other.state.open:
                raise PairingTakenBy(other.id)

    def _may_intend(self, row: Row, now: int) -> None:
        late = row.request.execute_by is not None and row.request.execute_by <= now
        early = row.request.scheduled_at is not None and row.request.scheduled_at > now
        if late or early or row.request.state is not State.APPROVED:
            raise SaveRefused

    def _heard(self, claim: Claim) -> None:
        if self.waiting(claim.request.id):
            raise SaveRefused

    def _release(self, claim: Claim, due_at: int | None) -> None:
        row = self.rows[claim.request.id]
        if row.version == claim.version:
            row.lease_until, row.due_at, row.version = 0, due_at, row.version + 1
        self.changes += 1

    def get(self, request_id: str) -> Request | None:
        row = self.rows.get(request_id)
        return row.request if row else None

    def followed(self, site: str) -> int:
        requests = (row.request for row in self.rows.values())
        return sum(r.site == site and r.state is State.FOLLOWING for r in requests)

    def same_pairing(self, request: Request, states: Sequence[State]) -> list[Request]:
        shown = request.snapshot
        found = [
            r.request
            for r in self.rows.values()
            if r.request.id != request.id and r.request.state in states
        ]
        same = [o for o in found if shown and o.snapshot and same_pairing(o.snapshot, shown)]
        return sorted(same, key=lambda r: -r.created_at)

    def _held(self, claim: Claim) -> Row:
        row = self.rows[claim.request.id]
        if row.version != claim.version:
            raise ClaimLost
        return row

    def _write(self, row: Row, claim: Claim, saving: Saving) -> Claim:
        before = row.request
        row.request = saving.request.model_copy(update={"readings": Readings()})
        row.version += 1
        for number in claim.heard:
            self._absorbed(number, self.now())
        self._rest(before, saving)
        over = queue_of(saving.request) is not claim.queue
        if over:
            row.lease_until, row.due_at = 0, saving.due_at
        return Claim(saving.request, row.version, claim.lease_until, claim.queue, over=over)

    def _rest(self, before: Request | None, saving: Saving) -> None:
        now, request = self.now(), saving.request
        self._absorbed(saving.absorbed, now)
        self._want(before, request)
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

    def _want(self, before: Request | None, request: Request) -> None:
        now, version = self.now(), self.rows[request.id].version
        for message in changed_messages(before, request):
            slot, kind = message.slot, message.kind
            known = self.posts.get((request.id, slot))
            if known:
                known.wanted, known.due_at = version, max(now, known.not_before)
                continue
            self.posts[request.id, slot] = Post(
                request_id=request.id,
                slot=slot,
                urgency=URGENCY[kind],
                channel=message.person or request.channel,
                thread_ts=request.card_ts if message.in_thread else None,
                ts=message.which if kind is Slot.STRAY else None,
                wanted=version,
                due_at=now,
                created_at=now,
            )
        card = self.posts.get((request.id, Slot.CARD.value))
        if card and card.ts is None and request.card_ts:
            card.ts = request.card_ts

    def _answers(self, request_id: str, answers: Iterable[Answer]) -> None:
        now = self.now()
        for answer in answers:
            item = self.inbox[answer.event]
            slot = f"{Slot.ANSWER}:{answer.event}:{answer.code}"
            self.posts[request_id, slot] = Post(
                request_id=request_id,
                slot=slot,
                urgency=URGENCY[Slot.ANSWER],
                channel=getattr(item.event, "channel", ""),
                thread_ts=None,
                ts=None,
                wanted=0,
                due_at=now,
                created_at=now,
                answer=answer,
                person=getattr(item.event, "by", None) or getattr(item.event, "requester", None),
            )

    def _sendable(self, now: int) -> list[Post]:
        """The most urgent first."""
        paused = self.pauses.until
        held = {p.request_id for p in self.posts.values() if not lease_over(p.lease_until, now)}
        due = [
            p
            for p in self.posts.values()
            if p.due_at is not None
            and p.due_at <= now
            and p.request_id not in held
            and not (paused.get(_method(p), 0) > now)
        ]
        calm_since = paused.get("chat.postMessage", 0)
        return sorted(due, key=lambda p: (_urgency_of(p, calm_since), p.created_at))

    def _claimed_post(self, post: Post, now: int) -> Due:
        post.lease_until = now + SENDING_MS
        return Due(
            request_id=post.request_id,
            slot=post.slot,
            channel=post.channel,
            thread_ts=post.thread_ts,
            ts=post.ts,
            wanted=post.wanted,
            shown=post.shown,
            attempts=post.attempts,
            lost=post.lost,
            answer=post.answer,
            user=post.person,
            response_url=self._address(post.answer, now),
            last_error=post.last_error,
            card_gone=post.urgency == URGENCY[Slot.FINAL] and self._card_gone(post.request_id),
            at=now,
            request=self.get(post.request_id),
        )

    def _address(self, answer: Answer | None, now: int) -> str | None:
        if answer is None:
            return None
        item = self.inbox[answer.event]
        item = self.inbox[item.answer_via or item.number]
        return item.response_url if item.at > now - RESPONSE_URL_MS else None

    def _card_gone(self, request_id: str) -> bool:
        card = self.posts.get((request_id, Slot.CARD.value))
        return card is not None and card.last_error == CARD_GONE

    def _sent(self, due: Due, *, ts: str | None, digest: str) -> None:
        now, post = self.now(), self.posts[due.request_id, due.slot]
        edited = due.slot == Slot.PROGRESS and digest != due.shown
        gap = PROGRESS_GAP_MS if edited else 0
        changed = post.wanted != due.wanted
        post.ts = post.ts or ts
        post.shown, post.attempts, post.lost, post.last_error = digest, 0, 0, None
        post.not_before, post.lease_until = now + gap, 0
        post.due_at = now + gap if changed else None
        if due.slot == Slot.CARD and due.ts is None and ts is not None:
            self._tell(due, CardPosted(ts=ts), f"card:{due.request_id}:{ts}")
        self.changes += 1

    def _put_off(
        self, due: Due, *, until: int, error: str, refused: bool = False, lost: bool = False
    ) -> None:
        post = self.posts[due.request_id, due.slot]
        post.due_at, post.not_before, post.lease_until = until, until, 0
        post.attempts, post.last_error = post.attempts + 1, error
        post.lost += lost
        if refused and due.slot == Slot.CARD and due.ts is None:
            told = f"card-held-up:{due.request_id}:{error}"
            self._tell(due, CardHeldUp(error=error), told)
        self.changes += 1

    def _given_up(self, due: Due, *, error: str) -> None:
        post = self.posts[due.request_id, due.slot]
        post.due_at, post.lease_until, post.last_error = None, 0, error
        if due.slot == Slot.CARD and due.ts is None:
            self._tell(due, CardRefused(error=error), f"card-refused:{due.request_id}")
        if due.slot in PRIVATE and due.ts is None:
            self._copy_to_each(due)
        self.changes += 1

    def _copy_to_each(self, due: Due) -> None:
        now, request = self.now(), self.rows[due.request_id].request
        for who in dict.fromkeys((request.requester, *request.deciders)):
            slot = f"{due.slot}:{who}"
            if ":" not in who and (due.request_id, slot) not in self.posts:
                self.posts[due.request_id, slot] = Post(
                    request_id=due.request_id,
                    slot=slot,
                    urgency=URGENCY[Slot(due.slot)],
                    channel=who,
                    thread_ts=None,
                    ts=None,
                    wanted=due.wanted,
                    due_at=now,
                    created_at=now,
                )

    def _tell(self, due: Due, event: Event, origin: str) -> None:
        number = self._numbered(origin)
        if number is not None:
            self._add(Item(number, origin, due.request_id, event, self.now(), None))

    # ---- for the scheduler --------------------------------------------------------------------

    def has_work(self, queue: Queue) -> bool:
        """Whether a claim may bring something."""
        return bool(self._claimable(queue, self.now()))

    def has_post(self) -> bool:
        now = self.now()
        return any(p.due_at is not None and p.due_at <= now for p in self.posts.values())

    def next_time(self) -> int | None:
        """When something may become due by time alone."""
        now = self.now()
        times = [max(r.due_at, r.lease_until) for r in self.rows.values() if r.due_at is not None]
        times += [r.lease_until for r in self.rows.values() if r.lease_until > now]
        times += [max(p.due_at, p.lease_until) for p in self.posts.values() if p.due_at is not None]
        times += [p.lease_until for p in self.posts.values() if p.lease_until > now]
        return min((t for t in times if t > now), default=None)


def lease_over(lease_until: int, now: int) -> bool:
    return lease_until <= now or lease_until > now + LONGEST_LEASE_MS


def key_of(request: Request) -> str | None:
    known = request.pairing_id is not None and request.terms.several
    return pair_key(request.snapshot) if known and request.snapshot else None


def wants_pairing(request: Request) -> bool:
    return request.state.open and request.pairing_id is not None


def _number(item: Item) -> int:
    return item.number


def _stored(item: Item) -> Stored:
    return Stored.model_construct(number=item.number, at=item.at, event=item.event)


def _method(post: Post) -> str:
    if post.answer is not None:
        return "response_url"
    return "chat.update" if post.ts is not None else "chat.postMessage"


def _urgency_of(post: Post, calm_since: int) -> int:
    first_progress = (
        post.urgency == URGENCY[Slot.PROGRESS]
        and post.ts is None
        and post.attempts == 0
        and post.created_at >= calm_since
    )
    return 0 if first_progress else post.urgency
