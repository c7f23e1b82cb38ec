"""The outbox of `bot.store`, in a dictionary. Each method is one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.request.events import CardHeldUp, CardPosted, CardRefused
from bot.request.messages import PRIVATE, Answer, Due, Slot, changed_messages
from bot.request.model import Request
from bot.slack.send.poster import SENDING_MS
from bot.store.inbox import RESPONSE_URL_MS
from bot.store.outbox import ANSWER_FIRST_MS, CARD_GONE, PROGRESS_GAP_MS
from bot.store.queues import LONGEST_LEASE_MS
from bot.store.saving import URGENCY, messages_due_at

if TYPE_CHECKING:
    from tests.life.simulation.memory_store import MemoryStore


@dataclass
class Post:
    request_id: str
    slot: str
    urgency: int
    channel: str
    created_at: int
    due_at: int | None
    wanted: int = 0
    thread_ts: str | None = None
    ts: str | None = None
    shown: str | None = None
    not_before: int = 0
    lease_until: int = 0
    attempts: int = 0
    lost: int = 0
    last_error: str | None = None
    answer: Answer | None = None
    person: str | None = None


@dataclass
class MemoryOutbox:
    store: MemoryStore
    posts: dict[tuple[str, str], Post] = field(default_factory=dict)

    def now(self) -> int:
        return self.store.now()

    def want(self, before: Request | None, request: Request) -> None:
        now = self.now()
        due_at = messages_due_at(request, now)
        version = self.store.rows[request.id].version
        for message in changed_messages(before, request):
            slot, kind = message.slot, message.kind
            known = self.posts.get((request.id, slot))
            if known:
                known.wanted, known.due_at = version, max(due_at, known.not_before)
                continue
            self.posts[request.id, slot] = Post(
                request_id=request.id,
                slot=slot,
                urgency=URGENCY[kind],
                channel=message.person or request.channel,
                thread_ts=request.card_ts if message.in_thread else None,
                ts=message.which if kind is Slot.STRAY else None,
                wanted=version,
                due_at=due_at,
                created_at=now,
            )
        card = self.posts.get((request.id, Slot.CARD.value))
        if card and card.ts is None and request.card_ts:
            card.ts = request.card_ts

    def answer(self, request_id: str, answers: Iterable[Answer], due_at: int) -> None:
        for answer in answers:
            item = self.store.inbox[answer.event]
            slot = f"{Slot.ANSWER}:{answer.event}:{answer.code}"
            self.posts[request_id, slot] = Post(
                request_id=request_id,
                slot=slot,
                urgency=URGENCY[Slot.ANSWER],
                channel=getattr(item.event, "channel", ""),
                due_at=due_at,
                created_at=self.now(),
                answer=answer,
                person=getattr(item.event, "by", None) or getattr(item.event, "requester", None),
            )

    def claim(self, busy: Collection[str] = ()) -> Due | None:
        """The most urgent of those that are due."""
        now = self.now()
        paused = self.store.pauses.until
        held = {p.request_id for p in self.posts.values() if not lease_over(p.lease_until, now)}
        due = [
            p
            for p in self.posts.values()
            if p.due_at is not None
            and p.due_at <= now
            and p.request_id not in held
            and not (paused.get(_method(p), 0) > now)
            and _method(p) not in busy
            and not (p.urgency == URGENCY[Slot.FINAL] and self._answer_first(p, now))
        ]
        if not due:
            return None
        calm_since = paused.get("chat.postMessage", 0)
        post = min(due, key=lambda p: (_urgency_of(p, calm_since), p.created_at))
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
            lease_until=post.lease_until,
            request=self.store.get(post.request_id),
        )

    def _answer_first(self, final: Post, now: int) -> bool:
        return any(
            p.answer and p.due_at is not None and not p.attempts
            for p in self.posts.values()
            if p.request_id == final.request_id and p.created_at > now - ANSWER_FIRST_MS
        )

    def wait(self, seconds: float) -> None:
        assert not seconds, "the scheduler decides who waits"

    wait_for_next = wait

    def _address(self, answer: Answer | None, now: int) -> str | None:
        if answer is None:
            return None
        item = self.store.inbox[answer.event]
        item = self.store.inbox[item.answer_via or item.number]
        return item.response_url if item.at > now - RESPONSE_URL_MS else None

    def _card_gone(self, request_id: str) -> bool:
        card = self.posts.get((request_id, Slot.CARD.value))
        return card is not None and card.last_error == CARD_GONE

    def sent(self, due: Due, *, ts: str | None, digest: str) -> None:
        self.store.changes += 1
        if due.slot == Slot.CARD and due.ts is None and ts is not None:
            self.store.put(
                CardPosted(ts=ts), origin=f"card:{due.request_id}:{ts}", request_id=due.request_id
            )
        if (post := self._held(due)) is None:
            return
        now = self.now()
        edited = due.slot == Slot.PROGRESS and digest != due.shown
        gap = PROGRESS_GAP_MS if edited else 0
        changed = post.wanted != due.wanted
        post.ts = post.ts or ts
        post.shown, post.attempts, post.lost, post.last_error = digest, 0, 0, None
        post.not_before, post.lease_until = now + gap, 0
        post.due_at = now + gap if changed else None

    def put_off(
        self, due: Due, *, until: int, error: str, refused: bool = False, lost: bool = False
    ) -> None:
        self.store.changes += 1
        if (post := self._held(due)) is None:
            return
        post.due_at, post.not_before, post.lease_until = until, until, 0
        post.attempts, post.last_error = post.attempts + 1, error
        post.lost += lost
        if refused and due.slot == Slot.CARD and due.ts is None:
            told = f"card-held-up:{due.request_id}:{error}"
            self.store.put(CardHeldUp(error=error), origin=told, request_id=due.request_id)

    def given_up(self, due: Due, *, error: str) -> None:
        self.store.changes += 1
        if (post := self._held(due)) is None:
            return
        post.due_at, post.lease_until, post.last_error = None, 0, error
        if due.slot == Slot.CARD and due.ts is None:
            self.store.put(
                CardRefused(error=error),
                origin=f"card-refused:{due.request_id}",
                request_id=due.request_id,
            )
        if due.slot in PRIVATE and due.ts is None:
            self._copy_to_each(due)

    def _held(self, due: Due) -> Post | None:
        """None if another holds it now, or has settled it."""
        post = self.posts[due.request_id, due.slot]
        return post if post.lease_until == due.lease_until else None

    def _copy_to_each(self, due: Due) -> None:
        now, request = self.now(), self.store.rows[due.request_id].request
        for who in dict.fromkeys((request.requester, *request.deciders)):
            slot = f"{due.slot}:{who}"
            if ":" not in who and (due.request_id, slot) not in self.posts:
                self.posts[due.request_id, slot] = Post(
                    request_id=due.request_id,
                    slot=slot,
                    urgency=URGENCY[Slot(due.slot)],
                    channel=who,
                    wanted=due.wanted,
                    due_at=now,
                    created_at=now,
                )

    def has_work(self) -> bool:
        now = self.now()
        return any(p.due_at is not None and p.due_at <= now for p in self.posts.values())


def lease_over(lease_until: int, now: int) -> bool:
    return lease_until <= now or lease_until > now + LONGEST_LEASE_MS


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
