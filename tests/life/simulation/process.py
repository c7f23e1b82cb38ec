"""One copy of the bot in a history: the real worker and the real poster, each a green thread."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from greenlet import greenlet
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from bot.request.messages import Drawn
from bot.request.model import Request
from bot.request.problem import Problem, ProblemKind
from bot.slack.send.poster import Poster
from bot.store.faults import StoreError
from bot.store.queues import Queue
from bot.store.saving import Claim
from bot.worker.drive import Driver
from bot.worker.effects import Effects
from bot.worker.find_pairings import Lists
from bot.worker.queue_threads import Worker
from tests.life.simulation.appliance import AppliancePort
from tests.life.simulation.happenings import DONE, OPEN
from tests.life.simulation.slack import Client, People

if TYPE_CHECKING:
    from tests.life.simulation.memory_store import MemoryStore
    from tests.life.simulation.simulation import Simulation

STEPS = {
    "claim": (None, "claim:after"),
    "save": ("save:before", "save:after"),
    "save_intent": ("intent:before", "intent:after"),
    "release": ("release:before", None),
    "put": (None, None),
    "insert_row": (None, "save:after"),
    "sent": ("sent:before", None),
}

KEEPS = frozenset({"save", "put"})
"""After these nothing that came from outside is in hand any more."""

WRITES = frozenset({*STEPS, "save_passed", "dismiss", "put_off", "given_up"})
READS = frozenset(
    {"now", "events", "event_without_row", "get", "unclear", "superseded", "followed"}
)

FAULT_MS = 1_000
"""How long the real loops wait after an error of the store."""


class Cut(StoreError):
    """The connection is gone."""

    def __init__(self) -> None:
        cause = OperationalError("simulated", None, Exception("the connection is gone"))
        super().__init__(cause, make_url("postgresql://"))


class Stepping:
    """The store as one process sees it: it can be stopped before and after each transaction and its
    commit, and cut off from it."""

    def __init__(self, process: Process, target: Any) -> None:
        self._process, self._target = process, target

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._target, name)
        if self._process.sim.stops_in_commits and name in (WRITES | READS):
            attribute = self._reached(attribute, writes=name in WRITES)
        if name in STEPS:
            attribute = self._stepping(name, attribute)
        setattr(self, name, attribute)  # asked for once: this is on every path
        return attribute

    def _stepping(self, name: str, attribute: Callable[..., Any]) -> Callable[..., Any]:
        before, after = STEPS[name]
        process = self._process

        def stepping(*args: Any, **kwargs: Any) -> Any:
            if before:
                process.step(before)
            result = attribute(*args, **kwargs)
            if isinstance(result, Claim):
                process.claimed(result)
            if name in KEEPS:
                process.kept()
            if after and result is not None:
                process.step(after)
            return result

        return stepping

    def _reached(self, attribute: Callable[..., Any], *, writes: bool) -> Callable[..., Any]:
        process = self._process

        def reached(*args: Any, **kwargs: Any) -> Any:
            if writes:
                process.sim.passed(process, OPEN)
            process.must_reach_the_store()
            result = attribute(*args, **kwargs)
            if writes:
                process.sim.passed(process, DONE)
                process.must_reach_the_store()
            return result

        return reached


class Process:
    """`threads` are green; the scheduler decides which of them goes on. `wake_at` None: idle."""

    def __init__(self, sim: Simulation, name: str) -> None:
        self.name = name
        self.alive = True
        self.frozen_until = 0
        self.cut_until = 0
        self.sim = sim
        self.policy = sim.policy_of(name)
        self.store: Any = Stepping(self, sim.store)
        self.worker = self._worker()
        self.poster = self._poster()
        self.threads = [
            Thread(self, lambda: self.worker.step(Queue.ACT), _acts),
            Thread(self, lambda: self.worker.step(Queue.DECIDE), _decides),
            Thread(self, lambda: self.worker.step(Queue.CHECK), _checks),
            Thread(self, self.poster.once, _posts),
        ]

    def step(self, point: str) -> None:
        self.sim.rules.at_point(point)
        self.sim.passed(self, point)

    def spend(self, ms: int) -> None:
        thread = self.sim.current
        assert thread is not None
        thread.wake_at = self.sim.real_ms + ms
        self.sim.hub.switch()

    def pause(self, seconds: float) -> None:
        self.spend(max(int(seconds * 1000), self.cut_until - self.sim.real_ms))

    def must_reach_the_store(self) -> None:
        if self.sim.real_ms < self.cut_until:
            raise Cut

    def listen(self, put: Callable[[], object]) -> None:
        """A listener of this copy stores what somebody did."""
        self.threads.append(Errand(self, put))

    def heard(self) -> None:
        """An answer to a DELETE has reached this process; now it is in hand."""
        assert self.sim.current is not None
        self.sim.current.in_hand = True
        self.sim.heard += 1

    def claimed(self, claim: Claim) -> None:
        assert self.sim.current is not None
        self.sim.current.holds = claim

    def kept(self) -> None:
        assert self.sim.current is not None
        self.sim.current.in_hand = False

    def _worker(self) -> Worker:
        sim = self.sim
        port = AppliancePort(
            sim.estate, self.step, self.spend, sim.db_now, sim.monotonic, self.heard
        )
        store = self.store
        effects = Effects(
            policy=self.policy,
            people=People(sim.workspace, self.step),
            appliances={"default": port},
            overview=store,
            lists=Lists({}, sim.db_now),
            monotonic=sim.monotonic,
            witness=self._witness,
        )
        driver = Driver(store, store, effects, pause=self.pause)
        return Worker(store, driver, self.policy)

    def _witness(self, _within_s: float) -> Problem | None:
        """The collector: away, slow, or it has what is recorded when it is told."""
        sim = self.sim
        fails = sim.history.collector_fails
        if not fails:
            return None
        recorded = dict(sim.rules.intent_at)
        lot = sim.collector_rng.random()
        self.spend(1_300 if lot < fails / 3 else sim.collector_rng.randrange(40))
        if lot < fails * 2 / 3:
            return Problem(kind=ProblemKind.UNWITNESSED, text="simulated")
        sim.rules.witnessed |= recorded
        return None

    def _poster(self) -> Poster:
        client = Client(self.sim.workspace, self.step, self.spend)
        self.client = client
        outbox = Stepping(self, self.sim.store.outbox)
        return Poster(
            outbox,  # type: ignore[arg-type]
            client,  # type: ignore[arg-type]
            draw,
            lambda answer, _request: Drawn(text=f"answer {answer.event} {answer.code}"),
            nets=(),
            pauses=self.sim.store.pauses,
            pause=self.pause,
            monotonic=self.sim.monotonic,
        )


class Thread:
    """One loop of a process."""

    def __init__(
        self,
        process: Process,
        work: Callable[[], bool],
        may_find: Callable[[MemoryStore], bool] = lambda _store: True,
    ) -> None:
        self.may_find = may_find
        self.process = process
        self.wake_at: int | None = 0
        self.seen = -1
        self.in_hand = False
        self.holds: Claim | None = None
        self.works = False
        self._work = work
        self.green = greenlet(self._run, parent=process.sim.hub)
        process.sim.threads.append(self)

    def _run(self) -> None:
        sim = self.process.sim
        while True:
            changes, began = sim.store.changes, sim.real_ms
            try:
                worked = self._work()
            except StoreError:
                # As the real loops: whatever it was is tried again after a while.
                self.works = False
                self.process.pause(FAULT_MS / 1000)
                continue
            if not worked:
                # It may have been frozen in the middle of the look.
                self.seen = changes if began == sim.real_ms else -1
                self.wake_at = None
                sim.hub.switch()
                self.wake_at = 0  # in the middle of something from now on


def _acts(store: MemoryStore) -> bool:
    return store.has_work(Queue.ACT)


def _decides(store: MemoryStore) -> bool:
    return store.has_work(Queue.DECIDE)


def _checks(store: MemoryStore) -> bool:
    return store.event_without_row() is not None or store.has_work(Queue.CHECK)


def _posts(store: MemoryStore) -> bool:
    return store.outbox.has_work()


class Errand(Thread):
    """Runs once, as a listener for one event. Fails in silence when the store is away: whoever
    pressed is told so, and nothing is acknowledged."""

    def __init__(self, process: Process, put: Callable[[], object]) -> None:
        super().__init__(process, lambda: bool(put()))

    def _run(self) -> None:
        with contextlib.suppress(StoreError):
            self._work()
        self.process.threads.remove(self)


def draw(request: Request, slot: str) -> Drawn:
    """Everything that could be seen, in words that are quick to make."""
    task = request.task
    seen = (
        slot,
        request.id,
        request.state.value,
        [d.by for d in request.approvals],
        request.glass.by if request.glass else "",
        request.denial.by if request.denial else "",
        request.cancellation.by if request.cancellation else "",
        (task.id, task.status, task.progress) if task else "",
        request.outcome.code if request.outcome else "",
        request.correction.code if request.correction else "",
        bool(request.waiting),
        request.approvals_required,
        request.settled.by if request.settled else "",
    )
    fixed = slot.startswith(("notice", "alarm", "stray", "reminder"))
    return Drawn(text=f"{slot} {request.id}" if fixed else repr(seen))


def digest(request: Request, slot: str) -> str:
    return _digest(draw(request, slot).text)


@lru_cache(10_000)
def _digest(text: str) -> str:
    return Drawn(text=text).digest
