"""The scheduler: one history, one step at a time, until everything has come to rest."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from greenlet import getcurrent

from bot.core.events import Asked, Clicked, OperatorCancelled
from bot.core.messages import Slot
from bot.core.policy import Policy, SiteTerms
from bot.slack import sending
from tests.simulation.appliance import Estate
from tests.simulation.bugs import NO_BUGS, Bugs
from tests.simulation.happenings import APPROVERS, PAIRINGS, Happening, History
from tests.simulation.memory_store import MemoryStore, OutboxView
from tests.simulation.process import Process, Thread
from tests.simulation.rules import Rules
from tests.simulation.slack import TEAM, Workspace

START_MS = 1_800_000_000_000
CHANNEL = "C0OPS"
LEASE_MS = 25_000
LIMIT_MS = 8 * 3_600_000
"""Of real time, after which a history that has not come to rest is stuck."""
LIMIT_STEPS = 60_000
MOST_DEFERRED = 20


class Simulation:
    """`run` raises Violation, with the story so far, when a rule is broken."""

    def __init__(self, history: History, bugs: Bugs = NO_BUGS) -> None:
        self.history, self.bugs = history, bugs
        self.rng = random.Random(history.seed * 7 + 1)
        self.real_ms = 0
        self.offset_ms = 0
        self.lease_ms = bugs.lease_ms or LEASE_MS
        self.story: list[str] = []
        self.hub = getcurrent()
        self.threads: list[Thread] = []
        self.current: Thread | None = None
        self.heard = 0
        self.threads: list[Thread] = []
        self.passes: dict[str, int] = {}
        self.policy = _policy(history)
        self.estate = Estate(
            lambda: self.real_ms,
            self.rng,
            list(history.delete_fates),
            list(history.task_fates),
        )
        self.workspace = Workspace(lambda: self.real_ms, self.rng)
        self.rules = Rules(self)
        memory = MemoryStore(clock=self.db_now, lease_ms=self.lease_ms, on_saved=self.rules.saved)
        bugs.store(memory)
        self.waiting = sorted(history.kept(), key=lambda h: h.at)
        self.retries: Counter[Happening] = Counter()
        self.deferred: Counter[tuple[object, ...]] = Counter()
        self.use(memory, OutboxView(memory))

    def use(self, store: Any, outbox: Any) -> None:
        """Another store than the one in memory, before the first step."""
        self.store, self.outbox = store, outbox
        copies = range(self.history.replicas)
        self.processes = [Process(self, f"copy {n + 1}") for n in copies]

    # ---- clocks -------------------------------------------------------------------------------

    def db_now(self) -> int:
        return START_MS + self.real_ms + self.offset_ms

    def monotonic(self) -> float:
        return self.real_ms / 1000

    def tell(self, words: str) -> None:
        self.story.append(f"{self.real_ms / 1000:9.3f}  {words}")

    # ---- running ------------------------------------------------------------------------------

    def run(self) -> None:
        with _quiet(), self.bugs.planted(), _answers(self), self._ending():
            steps = 0
            try:
                while self._turn():
                    steps += 1
                    if steps > LIMIT_STEPS or self.real_ms > LIMIT_MS:
                        self.rules.broken("stuck: it never comes to rest")
                self.rules.at_rest()
            finally:
                self._let_go()

    @contextmanager
    def _ending(self) -> Iterator[None]:
        """Ends every thread, also of those that were killed: nobody can collect what stands on the
        stack of one that only waits, and a hundred thousand histories took 15 GB."""
        try:
            yield
        finally:
            for thread in self.threads:
                thread.green.throw()

    def _let_go(self) -> None:
        """A green thread that stands in the middle of its work holds all that it can see, and no
        collector finds it: ten thousand histories would keep two gigabytes."""
        for thread in self.threads:
            thread.green.throw()

    def _turn(self) -> bool:
        self._happen()
        ready = [t for p in self.processes if self._runs(p) for t in p.threads if self._ready(t)]
        if ready:
            self._go_on(self.rng.choice(ready) if len(ready) > 1 else ready[0])
            return True
        return self._let_time_pass()

    def _runs(self, process: Process) -> bool:
        return process.alive and process.frozen_until <= self.real_ms

    def _ready(self, thread: Thread) -> bool:
        if thread.wake_at is None:
            return thread.seen != self.store.changes
        return thread.wake_at <= self.real_ms

    def _go_on(self, thread: Thread) -> None:
        self.current = thread
        thread.green.switch()
        self.current = None

    def _let_time_pass(self) -> bool:
        self.rules.nobody_forgotten()
        times = [h.at for h in self.waiting if h.point is None]
        for process in self.processes:
            times.append(process.frozen_until)
            times += [t.wake_at or 0 for t in process.threads if process.alive]
            paused = process.poster.paused_until().values()
            times += [until - START_MS - self.offset_ms for until in paused]
        due = self.store.next_time()
        times += [self.estate.next_end() or 0, due - START_MS - self.offset_ms if due else 0]
        times = [t for t in times if t > self.real_ms]
        if not times:
            # What was to happen at a point that nobody passes any more happens now, or never.
            late = [h for h in self.waiting if h.point and h.what == "click"]
            self.waiting = []
            for happening in late:
                self._happens(happening)
            return bool(late)
        self.real_ms = min(times)
        for process in self.processes:
            for thread in process.threads:
                if thread.wake_at is None:
                    thread.seen = -1  # time has passed: whoever is idle looks again
        return True

    # ---- points and happenings ----------------------------------------------------------------

    def passed(self, process: Process, point: str) -> None:
        """A process is at a named line of the life: it may be killed, frozen or overtaken here."""
        self.passes[point] = self.passes.get(point, 0) + 1
        hit = [
            h
            for h in self.waiting
            if h.point == point and h.at <= self.real_ms and self._counted(h)
        ]
        for happening in hit:
            self.waiting.remove(happening)
            self._happens(happening, process)
        if hit or self.rng.random() < 0.35:
            self.hub.switch()

    def _counted(self, happening: Happening) -> bool:
        self.retries[happening] += 1
        return self.retries[happening] >= happening.nth

    def _happen(self) -> None:
        while self.waiting:
            due = next((h for h in self.waiting if h.point is None and h.at <= self.real_ms), None)
            if due is None:
                return
            self.waiting.remove(due)
            self._happens(due)

    def _happens(self, happening: Happening, process: Process | None = None) -> None:
        getattr(self, f"_{happening.what}")(happening, process, *happening.args)

    def _ask(
        self, _h: Happening, _p: object, number: int, asker: str, pairing: int, force: bool
    ) -> None:
        event = Asked(
            site="default",
            pairing=PAIRINGS[pairing],
            force=force,
            reason="",
            requester=asker,
            team=TEAM,
            channel=CHANNEL,
        )
        origin = f"ask:{number}"
        self.store.put(event, origin=origin, request_id=_id(number), response_url="asker")
        self.tell(f"{asker} asks for {PAIRINGS[pairing][:4]} as {_id(number)} force={force}")

    def _click(
        self, h: Happening, _p: object, number: int, who: str, action: str, how: str
    ) -> None:
        request = self.store.get(_id(number))
        ts = self._card_ts(_id(number))
        if request is None or ts is None or request.fingerprint is None:
            self.deferred[h.args] += 1
            if self.deferred[h.args] < MOST_DEFERRED:  # no card yet: the person looks again later
                self.waiting.append(Happening(self.real_ms + 4_000, h.what, h.args))
            return
        event = Clicked.model_validate(
            {
                "action": action,
                "by": who,
                "team": TEAM,
                "fingerprint": "0" * 16 if how == "tampered" else request.fingerprint,
                "channel": "C0OTHER" if how == "copied" else CHANNEL,
                "message_ts": ts,
                "ours": how != "foreign",
                "reason": "no" if action == "deny" else None,
            }
        )
        for copy in range(2 if how == "doubled" else 1):
            origin = f"click:{len(self.store.items)}:{copy}:{self.rng.random()}"
            number_ = self.store.put(
                event, origin=origin, request_id=_id(number), response_url="clicker"
            )
            self.rules.clicked(number_, event)
        self.tell(f"{who} presses {action} on {_id(number)} ({how})")

    def _operator(self, _h: Happening, _p: object, number: int) -> None:
        event = OperatorCancelled(operator="root")
        if self.store.get(_id(number)):
            self.store.put(event, origin=f"operator:{number}", request_id=_id(number))
            self.tell(f"an operator cancels {_id(number)}")

    def _crash(self, _h: Happening, process: Process | None, which: int | None, span: int) -> None:
        victim = process or self.processes[(which or 0) % len(self.processes)]
        if not victim.alive:
            return
        victim.alive = False
        self.rules.died(victim)
        self.waiting.append(Happening(self.real_ms + span, "restart", (victim.name,)))
        self.tell(f"{victim.name} is killed")

    def _restart(self, _h: Happening, _p: object, name: str) -> None:
        place = next(n for n, p in enumerate(self.processes) if p.name == name)
        self.processes[place] = Process(self, name)
        self.tell(f"{name} starts again")

    def _freeze(self, _h: Happening, process: Process | None, which: int | None, span: int) -> None:
        victim = process or self.processes[(which or 0) % len(self.processes)]
        victim.frozen_until = self.real_ms + span
        self.tell(f"{victim.name} freezes for {span / 1000} s")

    def _jump(self, _h: Happening, _p: object, ms: int) -> None:
        self.offset_ms += ms
        self.tell(f"the database's clock jumps by {ms / 1000} s")

    def _appliance(self, _h: Happening, _p: object, span: int, rate: float) -> None:
        self.estate.fault_until, self.estate.fault_rate = self.real_ms + span, rate
        self.tell(f"the appliance fails {rate:.0%} of calls for {span / 1000} s")

    def _slack(self, _h: Happening, _p: object, span: int, rate: float) -> None:
        self.workspace.fault_until, self.workspace.fault_rate = self.real_ms + span, rate
        self.tell(f"Slack fails {rate:.0%} of calls for {span / 1000} s")

    def _people(self, _h: Happening, _p: object, span: int) -> None:
        self.workspace.people_until = self.real_ms + span
        self.tell(f"Slack does not say who people are for {span / 1000} s")

    def _rights(self, _h: Happening, _p: object, who: str, span: int) -> None:
        self.workspace.rights[who] = False
        self.workspace.rights_lost_at[who] = self.real_ms
        self.waiting.append(Happening(self.real_ms + span, "rights_back", (who,)))
        self.tell(f"{who} loses the right")

    def _rights_back(self, _h: Happening, _p: object, who: str) -> None:
        self.workspace.rights[who] = True
        self.workspace.rights_lost_at.pop(who, None)
        self.tell(f"{who} has the right again")

    def _world(self, _h: Happening, _p: object, pairing: int, what: str) -> None:
        self.estate.change(PAIRINGS[pairing], what)
        self.tell(f"at the appliance, {PAIRINGS[pairing][:4]}: {what}")

    def _card_ts(self, request_id: str) -> str | None:
        request = self.store.get(request_id)
        if request and request.card_ts:
            return request.card_ts
        mark = f"('{Slot.CARD.value}', '{request_id}'"
        standing = self.workspace.messages.values()
        return next((m.ts for m in standing if m.text.startswith(mark)), None)


def _id(number: int) -> str:
    return f"AAAA-{number:04d}"


def _policy(history: History) -> Policy:
    return Policy(
        approvers=frozenset(APPROVERS),
        approvals_required=history.approvals,
        force_approvals_required=history.approvals,
        notify=(),
        requesters=None,
        channels=None,
        require_reason=False,
        reason_pattern=None,
        approval_ttl_ms=600_000,
        execution_ttl_ms=300_000,
        follow_ttl_ms=1_800_000,
        remind_after_ms=120_000,
        dry_run=history.dry_run,
        label="",
        sites={"default": SiteTerms(appliance="vr", poll_ms=15_000, timeout_ms=10_000)},
    )


@contextmanager
def _quiet() -> Iterator[None]:
    before = structlog.get_config()
    structlog.configure(processors=[_drop], cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)


def _drop(_logger: Any, _name: str, _event: Any) -> Any:
    raise structlog.DropEvent


@contextmanager
def _answers(sim: Simulation) -> Iterator[None]:
    """Answers to one person go to the simulated Slack, by the client of whoever sends them."""
    before = sending.say

    def say(url: str, drawn: Any, *, timeout_s: float) -> Any:
        assert sim.current is not None
        return sim.current.process.client.tell(url, drawn, timeout_s)

    sending.say = say
    try:
        yield
    finally:
        sending.say = before
