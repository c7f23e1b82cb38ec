"""What must stay true, checked after each step of a history by what is seen from outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.request import audit_chain
from bot.request.events import Clicked, OperatorCancelled
from bot.request.fingerprint import differences
from bot.request.messages import ANSWER_LOST, Slot, messages
from bot.request.model import Request, State
from bot.request.plan import Wait, plan
from bot.request.who_may import Policy
from tests.life.simulation.happenings import APPROVERS
from tests.life.simulation.process import digest

if TYPE_CHECKING:
    from tests.life.simulation.memory_store import Item
    from tests.life.simulation.process import Process, Thread
    from tests.life.simulation.simulation import Simulation

NOTHING_SENT = frozenset(
    {
        State.REFUSED,
        State.DENIED,
        State.CANCELLED,
        State.EXPIRED,
        State.CHANGED,
        State.REHEARSED,
    }
)
OTHER_SETTING = "has another setting"
"""Who may decide is another one then than the rules below know."""

RIGHTS_STALE_MS = 45_000
"""Rights read before the intent may be this old at the DELETE in the worst case: one effect and
one frozen second, with room; a right that was lost longer ago was never read again."""


class Violation(AssertionError):
    """A rule is broken. The message is the whole story."""


@dataclass
class Rules:
    sim: Simulation
    wires_seen: int = 0
    intents: dict[str, int] = field(default_factory=dict)
    intent_at: dict[str, int] = field(default_factory=dict)
    listed_before: dict[str, int] = field(default_factory=dict)
    clicks: dict[int, Clicked] = field(default_factory=dict)
    wrong_if_sent: dict[str, list[str]] = field(default_factory=dict)
    """By request, what forbids its DELETE since the intent: a copy that froze before it stores the
    intent all the same, and then sends nothing."""

    def at_point(self, point: str) -> None:
        """No two copies work on one request at once, where nobody froze and no clock jumped."""
        thread = self.sim.current
        assert thread is not None
        if point in ("effect:before", "delete:before") and thread.holds:
            thread.works = True
            if not self._told("freezes", "jumps"):
                self._alone(thread)
        elif point in ("effect:after", "delete:after"):
            thread.works = False

    def _told(self, *words: str) -> bool:
        """Whether something of that kind has happened so far."""
        return any(word in line for line in self.sim.story for word in words)

    def _alone(self, thread: Thread) -> None:
        mine = thread.holds
        assert mine is not None
        for process in self.sim.processes:
            for other in process.threads:
                busy = other is not thread and process.alive and other.works and other.holds
                if busy and other.holds.request.id == mine.request.id:
                    self.broken(f"two copies work on {mine.request.id} at once")

    # ---- as it happens ------------------------------------------------------------------------

    def died(self, process: Process) -> None:
        """Whatever it had in hand is lost with it."""
        self.sim.heard -= sum(thread.in_hand for thread in process.threads)

    def saved(self, before: Request | None, after: Request) -> None:
        sim = self.sim
        if before is None or before.state is not after.state:
            sim.tell(f"{after.id} is {after.state.value}" + _why(after))
        if before and before.state not in (State.ATTENTION, after.state) and not before.state.open:
            self.broken(f"{after.id} leaves the final state {before.state.value}")
        if before and before.state is State.APPROVED and after.state is State.DELETING:
            self._intent(before, after)
        if before and after.terms.approvals_required < before.terms.approvals_required:
            self.broken(f"{after.id} needs fewer people now than its card has said")
        if after.task and before and (before.task is None or before.task.id != after.task.id):
            self._followed(after, after.task.id)
        if after.pairing_id and (before is None or before.pairing_id is None):
            self._one_open(after)
        if after.state is State.EXPIRED and before and before.state is State.PENDING:
            self._expired(before)
        self.wires()

    def _one_open(self, taking: Request) -> None:
        for row in self.sim.store.rows.values():
            other = row.request
            same = other.pairing_id == taking.pairing_id and other.id != taking.id
            if same and other.state.open and taking.state.open:
                self.broken(f"{taking.id} and {other.id} are open for the same pairing")

    def wires(self) -> None:
        """Each DELETE as it leaves: allowed at this moment, by the row as it stands?"""
        while self.wires_seen < len(self.sim.estate.wires):
            self._wire(self.wires_seen)
            self.wires_seen += 1

    def _wire(self, which: int) -> None:
        sim = self.sim
        wire = sim.estate.wires[which]
        rows = [r.request for r in sim.store.rows.values() if r.request.pairing_id == wire.pairing]
        sending = [r for r in rows if r.id in self.intents]
        if not sending:
            self.broken("a DELETE left before any intent was stored")
        newest = max(sending, key=lambda r: self.intent_at[r.id])
        if newest.terms.dry_run:
            self.broken("a DELETE left in a dry run")
        if wire.force != newest.force:
            self.broken("a DELETE left with another force than was approved")
        if wire.at - self.intent_at[newest.id] > 1_000:
            self.broken("a DELETE left more than a second after its intent")
        for rule in self.wrong_if_sent[newest.id]:
            self.broken(rule)
        earlier = [
            w
            for w in sim.estate.wires[:which]
            if w.pairing == wire.pairing and w.possible and w.at >= self.first_intent(newest.id)
        ]
        if earlier:
            self.broken("a second DELETE after one that could have been accepted")

    def first_intent(self, request_id: str) -> int:
        return self.intents[request_id]

    def _intent(self, before: Request, after: Request) -> None:
        sim = self.sim
        now = sim.real_ms
        self.intents.setdefault(after.id, now)
        self.intent_at[after.id] = now
        # Of now: a copy that froze before its own listing makes it later, for a claim it has lost.
        self.listed_before[after.id] = sim.estate.listed_at[after.pairing_id or ""]
        self.wrong_if_sent[after.id] = []
        policy = self._policy()
        if policy.dry_run or before.terms.dry_run:
            self.broken("an intent in a dry run")
        if before.glass:
            self._said(before, before.glass.by, "break_glass", policy.break_glass, now)
        else:
            self._approved(before, policy, now)
        waiting = sim.store.waiting(before.id)
        if any(_cancels(i.event, before) for i in waiting):
            self.broken("an intent is stored although a cancel waits")
        if before.clicks:
            self.broken("an intent is stored although a denial waits for the rights of its owner")
        if before.execute_by is not None and sim.db_now() >= before.execute_by:
            self.broken("an intent is stored after its approval had run out")
        # By the clock that all copies share, whatever it was set to since the approval.
        at = before.scheduled_at
        if at is not None and sim.db_now() < at:
            self.broken("an intent is stored before the time that was asked for")
        if at is not None and sim.db_now() >= at + before.terms.execution_ttl_ms:
            self.broken("an intent is stored though its window was missed")
        assert before.snapshot is not None
        # The world may move after the last reading; what had moved long before must be seen.
        if not self._moved_lately():
            actual = sim.estate.snapshot(before.pairing_id or "")
            moved = differences(before.snapshot, actual, force=before.force)
            if moved:
                rule = f"sent although it is not what was approved: {moved}"
                self.wrong_if_sent[after.id].append(rule)

    def _followed(self, after: Request, task_id: str) -> None:
        """What began after the last listing before the intent cannot be told from ours: that window
        stays."""
        tasks = {t.id: t for t in self.sim.estate.tasks}
        if tasks[task_id].made_at < self.listed_before[after.id]:
            self.broken(f"{after.id} follows {task_id}, which was there before its DELETE")

    def nobody_forgotten(self) -> None:
        """Whatever its next step is, each open request will be claimed in time for it, even when
        its holder died this very moment."""
        sim, store, now = self.sim, self.sim.store, self.sim.db_now()
        for row in store.rows.values():
            if not row.request.state.open or store.waiting(row.request.id):
                continue
            effect = plan(row.request, now)
            needed = effect.until if isinstance(effect, Wait) else now
            held_until = max(row.lease_until, now)
            if needed is None:
                continue
            # A moment that was written down before the clock was set back comes later by as much.
            latest = max(needed, held_until) + sim.set_back_ms
            if row.due_at is None or row.due_at > latest:
                self.broken(f"{row.request.id} is looked at too late: nobody is due before")

    def _moved_lately(self) -> bool:
        lines = self.sim.story[-40:]
        recent = [w for w in lines if "at the appliance" in w]
        edge = (self.sim.real_ms - RIGHTS_STALE_MS) / 1000
        return any(float(line.split()[0]) > edge for line in recent)

    def _policy(self) -> Policy:
        """Of the copy that has just stored something."""
        thread = self.sim.current
        assert thread is not None
        return thread.process.policy

    def _approved(self, request: Request, policy: Policy, now: int) -> None:
        """By what the card said, and by the settings of whoever sends, which may ask for more."""
        people = {d.by for d in request.approvals}
        needed = max(policy.required(force=request.force), request.terms.approvals_required)
        if request.requester in people:
            self.broken("the requester's own approval is counted")
        if len(people) < needed or len(people) != len(request.approvals):
            self.broken("too few different people said yes")
        for who in people:
            self._said(request, who, "approve", policy.approvers, now)

    def _said(
        self, request: Request, who: str, action: str, listed: frozenset[str], now: int
    ) -> None:
        if who not in listed:
            self.broken(f"{who} decided without being one of those who may")
        lost = self.sim.workspace.rights_lost_at.get(who)
        if lost is not None and now - lost > RIGHTS_STALE_MS:
            rule = f"{who}'s approval counts although the right was lost long before"
            self.wrong_if_sent[request.id].append(rule)
        said = [
            c
            for c in self.clicks.values()
            if c.by == who and c.action == action and _for_this(c, request)
        ]
        if not any(c.reason or action == "approve" for c in said):
            self.broken(f"{who} never approved this")

    def _expired(self, before: Request) -> None:
        """A valid yes that was stored in time must not be lost to the deadline."""
        if before.terms.approvals_required > 1 or before.decide_by is None:
            return
        if self._told(OTHER_SETTING):
            return
        for item in self.sim.store.items:
            heard = any(c.event == item.number for c in before.clicks)
            counts = item.absorbed_at is None or heard
            if item.request_id == before.id and counts and _in_time(item, before):
                self.broken(f"expired although {item.event.by} had approved in time")

    # ---- at rest ------------------------------------------------------------------------------

    def at_rest(self) -> None:
        self.wires()
        store = self.sim.store
        if broken := audit_chain.verify(store.records, store.head):
            self.broken(f"the audit trail is broken: {broken}")
        if waiting := store.waiting():
            self.broken(f"events were never absorbed: {[i.event.kind for i in waiting]}")
        for row in store.rows.values():
            self._ended(row.request)
            self._shown(row.request)
        self._answered()
        self._outcomes_kept()

    def _ended(self, request: Request) -> None:
        if request.state.open:
            self.broken(f"stuck: {request.id} is {request.state.value} for ever")
        possible = [
            w
            for w in self.sim.estate.wires
            if w.pairing == request.pairing_id
            and w.possible
            and request.id in self.intents
            and w.at >= self.intents[request.id]
            and self._latest_before(w.at, w.pairing) == request.id
        ]
        mine = [w for w in self.sim.estate.wires if w.pairing == request.pairing_id and w.possible]
        mine = [w for w in mine if self._latest_before(w.at, w.pairing) == request.id]
        if len(mine) > request.deletes_sent:
            self.broken(f"{len(mine)} DELETEs left for {request.id}: {request.deletes_sent} told")
        if request.state in NOTHING_SENT and possible:
            self.broken(f"{request.id} is {request.state.value} although a DELETE went out")
        differs = request.outcome and request.outcome.code == "changed"
        if differs and not self._told("at the appliance", OTHER_SETTING):
            self.broken(f"{request.id} is changed although nothing has changed")
        # A clock that jumps ahead makes two answers of 404 look as if they were far apart.
        jumped = request.outcome and request.outcome.by_404s and self._told("jumps")
        there = self.sim.estate.present[request.pairing_id or ""] if request.pairing_id else True
        if request.state is State.SUCCEEDED and there and not jumped:
            self.broken(f"{request.id} is succeeded and the pairing is there")
        if request.task and self._none_began(request):
            self.broken(f"{request.id} follows a task although its DELETE was answered 404")
        if request.state is State.FAILED and any(w.accepted for w in possible):
            failed_task = request.task and request.task.status in ("ERROR", "CANCELLED")
            if not failed_task and not self._hidden(possible):
                self.broken(f"{request.id} is failed although its DELETE was accepted")

    def _none_began(self, request: Request) -> bool:
        """Whether its last DELETE was answered 404."""
        wires = [w for w in self.sim.estate.wires if w.pairing == request.pairing_id]
        mine = [w for w in wires if self._latest_before(w.at, w.pairing) == request.id]
        return bool(mine) and mine[-1].none_began and request.answer is not None

    def _hidden(self, wires: list[object]) -> bool:
        """A task that names no entity, or that the listing forgets, cannot be found by looking."""
        hidden = [t for t in self.sim.estate.tasks if t.entity is None or not t.listed]
        return bool(wires) and bool(hidden)

    def _latest_before(self, at: int, pairing: str) -> str | None:
        rows = self.sim.store.rows.values()
        mine = [r.request.id for r in rows if r.request.pairing_id == pairing]
        began = [(self.intent_at[i], i) for i in mine if self.intents.get(i, at + 1) <= at]
        return max(began, default=(0, None))[1]

    def _shown(self, request: Request) -> None:
        store = self.sim.store
        wanted = {m.slot for m in messages(request, store.now())}
        for slot in wanted:
            post = store.posts.get((request.id, slot))
            if post is None:
                self.broken(f"{request.id}: {slot} was never asked for")
            # Given up: deleted, not wanted, or sent three times without a word from Slack (rule 5).
            if post.last_error in ("message_not_found", "no_longer_wanted", ANSWER_LOST):
                continue
            if post.due_at is not None:
                self.broken(f"{request.id}: {slot} is due for ever")
            if post.shown != digest(request, slot):
                self.broken(f"{request.id}: {slot} does not show what is stored")
        standing = self.sim.workspace.messages.values()
        finals = [m for m in standing if m.text.startswith(f"('{Slot.FINAL}', '{request.id}'")]
        lost = sum(m.lost for m in finals)
        expected = 1 if Slot.FINAL in wanted else 0
        final = store.posts.get((request.id, Slot.FINAL.value))
        if final and final.last_error == ANSWER_LOST:
            if not any(slot.startswith(f"{Slot.FINAL}:") for _, slot in store.posts):
                self.broken(f"{request.id}: its final words were given up, and nobody was told")
            return
        # A post whose answer was lost with the process may stand twice as well (rule 5).
        lost_with_it = ("killed", "freezes", "cannot reach")
        killed = any(word in w for word in lost_with_it for w in self.sim.story)
        if len(finals) < expected or (len(finals) > expected + lost and not killed):
            self.broken(f"{request.id}: {len(finals)} final replies, {expected} expected")
        ended = not request.state.open and request.state is not State.REFUSED
        if ended and request.card_ts and not expected:
            self.broken(f"{request.id} ended without a final reply")

    def _answered(self) -> None:
        """Every click is decided or answered."""
        said = {r.detail.get("event") for r in self.sim.store.records}
        posts = self.sim.store.posts.values()
        answered = {p.answer.event for p in posts if p.answer}
        for number, click in self.clicks.items():
            if number not in answered and number not in said:
                self.broken(f"click {number} ({click.action} by {click.by}) was never answered")

    def _outcomes_kept(self) -> None:
        """Whatever the appliance answered a DELETE to a process that lived on is in the trail."""
        heard = self.sim.heard
        words = [
            r
            for r in self.sim.store.records
            if r.action in ("accepted", "answered", "not_accepted", "came_late")
        ]
        if len(words) < heard:
            self.broken(f"{heard} answers to DELETEs were heard, {len(words)} are in the trail")

    def broken(self, rule: str) -> None:
        raise Violation(f"seed {self.sim.history.seed}: {rule}\n" + "\n".join(self.sim.story))


def _in_time(item: Item, request: Request) -> bool:
    """Whether this is a valid yes that was stored before the deadline."""
    event = item.event
    return (
        isinstance(event, Clicked)
        and event.action == "approve"
        and request.decide_by is not None
        and item.at < request.decide_by
        and event.by in APPROVERS
        and event.by != request.requester
        and _for_this(event, request)
    )


def _for_this(click: Clicked, request: Request) -> bool:
    shown = click.fingerprint == request.fingerprint
    return shown and click.ours and click.channel == request.channel


def _cancels(event: object, request: Request) -> bool:
    if isinstance(event, OperatorCancelled):
        return True
    return (
        isinstance(event, Clicked)
        and event.action == "cancel"
        and event.by == request.requester
        and event.ours
        and event.channel == request.channel
        and event.message_ts == request.card_ts
    )


def _why(request: Request) -> str:
    return f": {request.outcome.code}" if request.outcome else ""
