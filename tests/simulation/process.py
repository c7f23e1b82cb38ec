"""One copy of the bot in a history: the real worker and the real poster, each a green thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from greenlet import greenlet

from bot.core.delivery import Drawn
from bot.core.events import CallFailed
from bot.core.messages import messages
from bot.core.request import Request
from bot.slack.poster import Poster
from bot.store.requests import Claim
from bot.worker.effects import Effects
from bot.worker.lives import Lives, effect_ms
from bot.worker.loop import Worker
from bot.worker.send import Sender
from tests.simulation.appliance import AppliancePort
from tests.simulation.slack import Client, People

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation

STEPS = {
    "claim": (None, "claim:after"),
    "save": ("save:before", "save:after"),
    "save_intent": ("intent:before", "intent:after"),
    "release": ("release:before", None),
    "put": (None, None),
    "bear": (None, "save:after"),
    "sent": ("sent:before", None),
}

KEEPS = frozenset({"save", "put"})
"""After these nothing that came from outside is in hand any more."""


class Stepping:
    """The store as one process sees it: it can be stopped before and after each transaction."""

    def __init__(
        self,
        target: Any,
        step: Callable[[str], None],
        kept: Callable[[], None],
        claimed: Callable[[Claim], None],
    ) -> None:
        self._target, self._step, self._kept, self._claimed = target, step, kept, claimed

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._target, name)
        if name not in STEPS:
            return attribute
        before, after = STEPS[name]

        def stepping(*args: Any, **kwargs: Any) -> Any:
            if before:
                self._step(before)
            result = attribute(*args, **kwargs)
            if isinstance(result, Claim):
                self._claimed(result)
            if name in KEEPS:
                self._kept()
            if after and result is not None:
                self._step(after)
            return result

        return stepping


class Watch:
    """In place of the shared task watch: each look lists anew."""

    def __init__(self, port: AppliancePort) -> None:
        self._port = port

    def tasks(self, since: int, by: float, now: Callable[[], int]) -> Any:
        listed = self._port.list_tasks(by)
        return listed if isinstance(listed, CallFailed) else tuple(listed)


class Process:
    """`threads` are green; the scheduler decides which of them goes on. `wake_at` None: idle."""

    def __init__(self, sim: Simulation, name: str) -> None:
        self.name = name
        self.alive = True
        self.frozen_until = 0
        self.sim = sim
        self.worker = self._worker()
        self.poster = self._poster()
        self.threads = [
            Thread(self, lambda: self.worker.step(checking=False)),
            Thread(self, lambda: self.worker.step(checking=True)),
            Thread(self, self.poster.once),
        ]

    def step(self, point: str) -> None:
        self.sim.rules.at_point(point)
        self.sim.passed(self, point)

    def spend(self, ms: int) -> None:
        thread = self.sim.current
        assert thread is not None
        thread.wake_at = self.sim.real_ms + ms
        self.sim.hub.switch()

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
        store = Stepping(sim.store, self.step, self.kept, self.claimed)
        sender = sim.bugs.sender(Sender(sim.policy, port, sim.monotonic))
        lives = sim.bugs.lives(
            Lives(
                requests=store,  # type: ignore[arg-type]
                inbox=store,  # type: ignore[arg-type]
                effects=Effects(
                    policy=sim.policy,
                    people=People(sim.workspace, self.step),
                    appliances={"default": port},
                    watches={"default": Watch(port)},  # type: ignore[dict-item]
                    requests=store,  # type: ignore[arg-type]
                    monotonic=sim.monotonic,
                ),
                senders={"default": sender},
                draw=digest,
                effect_ms=effect_ms(sim.lease_ms),
                monotonic=sim.monotonic,
            )
        )
        return Worker(requests=store, lives=lives, policy=sim.policy, draw=digest)  # type: ignore[arg-type]

    def _poster(self) -> Poster:
        client = Client(self.sim.workspace, self.step, self.spend)
        self.client = client
        outbox = Stepping(self.sim.bugs.outbox(self.sim.outbox), self.step, self.kept, self.claimed)
        return Poster(
            outbox,  # type: ignore[arg-type]
            client,  # type: ignore[arg-type]
            draw,
            lambda answer, _request: Drawn(text=f"answer {answer.event} {answer.code}"),
            messages,
            threads=0,
        )


class Thread:
    """One loop of a process."""

    def __init__(self, process: Process, work: Callable[[], bool]) -> None:
        self.process = process
        self.wake_at: int | None = 0
        self.seen = -1
        self.in_hand = False
        self.holds: Claim | None = None
        self.works = False
        self._work = work
        self.green = greenlet(self._run, parent=process.sim.hub)
        process.sim.threads.append(self)
        process.sim.threads.append(self)

    def _run(self) -> None:
        sim = self.process.sim
        while True:
            changes = sim.store.changes
            if not self._work():
                self.seen, self.wake_at = changes, None
                sim.hub.switch()


def draw(request: Request, slot: str) -> Drawn:
    """Everything that could be seen, in words that are quick to make."""
    task = request.task
    seen = (
        slot,
        request.id,
        request.state.value,
        [d.by for d in request.approvals],
        request.denial.by if request.denial else "",
        request.cancellation.by if request.cancellation else "",
        (task.id, task.status, task.progress) if task else "",
        request.outcome.code if request.outcome else "",
        request.correction.code if request.correction else "",
        bool(request.waiting),
        request.terms.approvals_required,
    )
    fixed = slot.startswith(("notice", "stray", "reminder"))
    return Drawn(text=f"{slot} {request.id}" if fixed else repr(seen))


def digest(request: Request, slot: str) -> str:
    return draw(request, slot).digest
