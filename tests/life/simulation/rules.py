"""What must stay true, checked after each step of a history by what is seen from outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import permutations
from typing import TYPE_CHECKING

from bot.request.events import Clicked, OperatorCancelled
from bot.request.fingerprint import differences
from bot.request.model import Request, State
from bot.request.plan import Wait, plan
from bot.request.who_may import Policy
from tests.life.simulation.happenings import APPROVERS
from tests.life.simulation.rules_at_rest import OTHER_SETTING

if TYPE_CHECKING:
    from tests.life.simulation.memory_store import Item
    from tests.life.simulation.process import Process, Thread
    from tests.life.simulation.simulation import Simulation

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
    witnessed: dict[str, int] = field(default_factory=dict)
    """When the newest intent was that the collector has."""
    wrong_if_sent: dict[str, list[str]] = field(default_factory=dict)
    """By request, what forbids its DELETE since the intent: a copy that froze before it stores the
    intent all the same, and then sends nothing."""

    def at_point(self, point: str) -> None:
        """No two copies work on one request at once, where nobody froze and no clock jumped."""
        thread = self.sim.current
        assert thread is not None
        if point in ("effect:before", "delete:before") and thread.holds:
            thread.works = True
            if not self.told("freezes", "jumps"):
                self._alone(thread)
        elif point in ("effect:after", "delete:after"):
            thread.works = False

    def told(self, *words: str) -> bool:
        """Whether something of that kind has happened so far."""
        return any(word in line for line in self.sim.story for word in words)

    def _alone(self, thread: Thread) -> None:
        mine = thread.holds
        assert mine is not None
        for process in self.sim.processes:
            for other in process.threads:
                busy = other is not thread and process.alive and other.works
                if busy and other.holds and other.holds.request.id == mine.request.id:
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
        if before and after.approvals_required < before.approvals_required:
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
        told = self.witnessed.get(newest.id)
        if sim.history.collector_fails and told != self.intent_at[newest.id]:
            self.broken("a DELETE left without its witness")
        if wire.force != newest.force:
            self.broken("a DELETE left with another force than was approved")
        if wire.at - self.intent_at[newest.id] > 1_000:
            self.broken("a DELETE left more than a second after its intent")
        for rule in self.wrong_if_sent[newest.id]:
            self.broken(rule)
        earlier = [
            w
            for w in sim.estate.wires[:which]
            if w.pairing == wire.pairing and w.possible and w.at >= self.intents[newest.id]
        ]
        if earlier:
            self.broken("a second DELETE after one that could have been accepted")

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
        if any(_denies(i.event, before) for i in waiting):
            self.broken("an intent is stored although a denial waits")
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
            self._read_as_approved(before, after)

    def _read_as_approved(self, before: Request, after: Request) -> None:
        """By what is really there: what the bot compares may be wrong."""
        estate, shown = self.sim.estate, before.snapshot
        assert shown is not None
        pairing = before.pairing_id or ""
        if shown.complete and estate.planned[pairing] > shown.protected:
            rule = "sent although a replication has come into a recovery plan"
            self.wrong_if_sent[after.id].append(rule)
        if shown.complete and estate.remote_down[pairing]:
            rule = "sent although what was whole on the card can be read in part alone"
            self.wrong_if_sent[after.id].append(rule)

    def refused(self, request: Request, waiting: list[Item]) -> None:
        """An intent that was not stored for what waits."""
        may_stop = ("operator_cancelled", "delete_accepted", "delete_answered")
        if not any(
            i.event.kind in may_stop or _cancels(i.event, request) or _denies(i.event, request)
            for i in waiting
        ):
            self.broken("an intent is refused though only presses wait that change nothing")

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
        if request.requester in people:
            self.broken("the requester's own approval is counted")
        if len(people) != len(request.approvals):
            self.broken("one person's approval is counted twice")
        now_needed = {pool.name: pool for pool in policy.required(force=request.force)}
        numbers = {name: pool.needed for name, pool in now_needed.items()}
        for promised in request.terms.pools:
            numbers[promised.name] = max(promised.needed, numbers.get(promised.name, 0))
        seats = [name for name, number in numbers.items() for _ in range(number)]
        listed = {name: now_needed[name].listed if name in now_needed else () for name in numbers}
        if not any(
            all(who in listed[seat] for who, seat in zip(some, seats, strict=True))
            for some in permutations(people, len(seats))
        ):
            self.broken("too few different people said yes, or not of each pool")
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
        if before.approvals_required > 1 or before.decide_by is None:
            return
        if self.told(OTHER_SETTING):
            return
        for item in self.sim.store.items:
            heard = any(c.event == item.number for c in before.clicks)
            counts = item.absorbed_at is None or heard
            if item.request_id == before.id and counts and _in_time(item, before):
                self.broken(f"expired although {item.event.by} had approved in time")

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


def _denies(event: object, request: Request) -> bool:
    """Or may do so: the rights of whoever pressed are read later."""
    return (
        isinstance(event, Clicked)
        and event.action == "deny"
        and request.scheduled_at is not None
        and event.by != request.requester
        and event.message_ts == request.card_ts
        and _for_this(event, request)
    )


def _why(request: Request) -> str:
    return f": {request.outcome.code}" if request.outcome else ""
