"""The scheduler: one history, one step at a time, until everything has come to rest."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from greenlet import getcurrent

from bot.request.events import Clicked
from bot.request.who_may import Policy, SiteTerms
from bot.slack.send import one_message as sending
from tests.life.simulation import happens
from tests.life.simulation.appliance import Estate
from tests.life.simulation.happenings import (
    APPROVERS,
    COMMITS,
    DONE,
    GLASS,
    POOLS,
    Happening,
    History,
)
from tests.life.simulation.memory_store import Item, MemoryStore
from tests.life.simulation.process import Process, Thread
from tests.life.simulation.rules import Rules
from tests.life.simulation.rules_at_rest import at_rest
from tests.life.simulation.slack import Workspace
from tests.support.world import changed_policy, policy

START_MS = 1_800_000_000_000
LEASE_MS = 25_000
LIMIT_MS = 8 * 3_600_000
"""Of real time, after which a history that has not come to rest is stuck."""
LIMIT_STEPS = 60_000
NEVER = 10**15
MOST_DEFERRED = 20
"""How often people try again what they cannot do yet."""


class Simulation:
    """`run` raises Violation, with the story so far, when a rule is broken."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.rng = random.Random(history.seed * 7 + 1)
        self.collector_rng = random.Random(history.seed * 7 + 2)
        self.real_ms = 0
        self.offset_ms = 0
        self.set_back_ms = 0
        self.story: list[str] = []
        self.hub = getcurrent()
        self.threads: list[Thread] = []
        self.current: Thread | None = None
        self.heard = 0
        self.found: dict[Callable[[MemoryStore], bool], bool] = {}  # in this turn, by any copy
        self.passes: dict[str, int] = {}
        self.policies: dict[str, Policy] = {}
        self.estate = Estate(
            lambda: self.real_ms,
            self.rng,
            list(history.delete_fates),
            list(history.task_fates),
        )
        self.workspace = Workspace(lambda: self.real_ms, self.rng)
        self.rules = Rules(self)
        kept = history.kept()
        self.stops_in_commits = any(h.what == "cut" or h.point in COMMITS for h in kept)
        self.waiting = sorted(kept, key=lambda h: h.at)
        self._await_next()
        self.retries: Counter[Happening] = Counter()
        self.deferred: Counter[tuple[object, ...]] = Counter()
        self.use(MemoryStore(now=self.db_now, lease_ms=LEASE_MS), looks_for_itself=False)

    def use(self, store: Any, *, looks_for_itself: bool = True) -> None:
        """Another store than the history's own, before the first step."""
        self.store = store
        store.on_saved, store.on_put = self.rules.saved, self.put_committed
        store.on_refused = self.rules.refused
        # A real store is not asked behind the bot's back; what is compared with it does the same.
        self.looks_for_itself = looks_for_itself
        self.threads = []
        copies = range(self.history.replicas)
        self.processes = [Process(self, f"copy {n + 1}") for n in copies]

    def policy_of(self, copy: str) -> Policy:
        return self.policies.setdefault(copy, _policy(self.history))

    # ---- clocks -------------------------------------------------------------------------------

    def db_now(self) -> int:
        return START_MS + self.real_ms + self.offset_ms

    def monotonic(self) -> float:
        return self.real_ms / 1000

    def tell(self, words: str) -> None:
        self.story.append(f"{self.real_ms / 1000:9.3f}  {words}")

    # ---- running ------------------------------------------------------------------------------

    def run(self) -> None:
        with _quiet(), _answers(self):
            steps = 0
            try:
                while self._turn():
                    steps += 1
                    if steps > LIMIT_STEPS or self.real_ms > LIMIT_MS:
                        self.rules.broken("stuck: it never comes to rest")
                at_rest(self.rules)
            finally:
                self._let_go()

    def _let_go(self) -> None:
        """A green thread that stands in the middle of its work holds all that it can see, and no
        collector finds it: ten thousand histories would keep two gigabytes."""
        for thread in self.threads:
            thread.green.throw()

    def _turn(self) -> bool:
        self._happen()
        self.found.clear()
        ready = [t for p in self.processes if self.runs(p) for t in p.threads if self._ready(t)]
        if ready:
            self._go_on(self.rng.choice(ready) if len(ready) > 1 else ready[0])
            return True
        return self._let_time_pass()

    def runs(self, process: Process) -> bool:
        return process.alive and process.frozen_until <= self.real_ms

    def _ready(self, thread: Thread) -> bool:
        if thread.wake_at is None:
            return thread.seen != self.store.changes and self._finds_work(thread)
        return thread.wake_at <= self.real_ms

    def _finds_work(self, thread: Thread) -> bool:
        """Most looks find nothing; to ask here costs less than to let the thread look."""
        if self.looks_for_itself:
            return True
        found = self.found.get(thread.may_find)
        if found is None:
            found = self.found[thread.may_find] = thread.may_find(self.store)
        if not found:
            thread.seen = self.store.changes
        return found

    def _go_on(self, thread: Thread) -> None:
        self.current = thread
        thread.green.switch()
        self.current = None

    def _let_time_pass(self) -> bool:
        self.rules.nobody_forgotten()
        times = [self.next_at] if self.next_at < NEVER else []
        for process in self.processes:
            times += [process.frozen_until, process.cut_until]
            if process.alive:
                times += [t.wake_at or 0 for t in process.threads]
            if process.poster.ask_slack_at:
                times.append(process.poster.ask_slack_at - START_MS - self.offset_ms)
        due = self.store.next_time()
        times += [self.estate.next_end() or 0, due - START_MS - self.offset_ms if due else 0]
        times = [t for t in times if t > self.real_ms]
        if not times:
            # What was to happen at a point that nobody passes any more happens now, or never.
            late = [h for h in self.waiting if h.point and h.what == "click"]
            self.waiting = []
            self._await_next()
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
        if point == DONE and self.current and self.current.in_hand:
            point = "outcome:after"
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
        while self.next_at <= self.real_ms:
            due = min((h for h in self.waiting if h.point is None), key=lambda h: h.at)
            self.waiting.remove(due)
            self._await_next()
            self._happens(due)

    def _happens(self, happening: Happening, process: Process | None = None) -> None:
        args = happening.args
        if happening.what in happens.OF_A_COPY:
            which, *more = args
            assert which is None or isinstance(which, int)
            args = (process or self.processes[(which or 0) % len(self.processes)], *more)
        if getattr(happens, happening.what)(self, *args):
            self.deferred[happening.args] += 1
            if self.deferred[happening.args] < MOST_DEFERRED:
                again = Happening(self.real_ms + 4_000, happening.what, happening.args)
                self.happens_later(again)

    def happens_later(self, happening: Happening) -> None:
        self.waiting.append(happening)
        self._await_next()

    def _await_next(self) -> None:
        self.next_at = min((h.at for h in self.waiting if h.point is None), default=NEVER)

    def listening(self) -> list[Process]:
        return [p for p in self.processes if self.runs(p) and p.cut_until <= self.real_ms]

    def put_committed(self, item: Item) -> None:
        """A commit of the inbox, heard of by whoever stored it or not."""
        if isinstance(item.event, Clicked):
            self.rules.clicks[item.number] = item.event


def _policy(history: History) -> Policy:
    plain = policy(
        approvers=frozenset(APPROVERS),
        approvals_required=history.approvals,
        force_approvals_required=history.approvals,
        notify=(),
        approval_ttl_ms=600_000,
        execution_ttl_ms=300_000,
        follow_ttl_ms=1_800_000,
        remind_after_ms=120_000,
        dry_run=history.dry_run,
        schedule_max_ms=3_600_000,
        break_glass=frozenset(GLASS) if history.glass else frozenset(),
        sites={"default": SiteTerms(appliance="vr", poll_ms=15_000, timeout_ms=10_000)},
    )
    return changed_policy(plain, pools=POOLS) if history.pools else plain


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

    def say(url: str, drawn: Any, *, api_url: str, timeout_s: float) -> Any:
        assert sim.current is not None
        return sim.current.process.client.tell(url, drawn, timeout_s)

    sending.say = say
    try:
        yield
    finally:
        sending.say = before
