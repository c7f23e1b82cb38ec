"""The simulated appliance of a history: what is really there, and what each call is answered."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from bot.request.events import (
    CallFailed,
    DeleteAccepted,
    DeleteAnswered,
    DeleteNotAccepted,
    PairingRead,
    PresenceRead,
    TaskPolled,
)
from bot.request.pairing import (
    PairingUnresolved,
    Presence,
    Replication,
    Server,
    Snapshot,
    digest_of,
)
from bot.request.problem import Problem, ProblemKind
from bot.request.task import TaskView
from tests.life.simulation.happenings import PAIRINGS

TIMEOUT_MS = 10_000

LIE_MS = 15_000
"""How long a gateway answers 404 for what is there: less than such answers must go on to count."""

PARTIAL_MS = 3 * 60_000
"""How long the list of pairings is not whole by its own word."""

T = TypeVar("T")

Answers = dict[str, tuple[type[DeleteNotAccepted | DeleteAnswered], ProblemKind]]

IMPOSSIBLE: Answers = {
    "unsent": (DeleteNotAccepted, ProblemKind.UNSENT),
    "unauthorized": (DeleteNotAccepted, ProblemKind.UNAUTHORIZED),
    "limited": (DeleteNotAccepted, ProblemKind.LIMITED),
    "limited_long": (DeleteNotAccepted, ProblemKind.LIMITED),
    "unavailable": (DeleteNotAccepted, ProblemKind.UNAVAILABLE),
    "refused_400": (DeleteAnswered, ProblemKind.REFUSED),
    "refused_403": (DeleteAnswered, ProblemKind.REFUSED),
    "not_found": (DeleteAnswered, ProblemKind.NOT_FOUND),
    "not_found_there": (DeleteAnswered, ProblemKind.NOT_FOUND),
}
"""What the bot hears of a DELETE that cannot have been accepted, by its fate."""

UNCLEAR: Answers = {
    "gateway": (DeleteAnswered, ProblemKind.NOT_UNDERSTOOD),
    "accepted_500": (DeleteAnswered, ProblemKind.SERVER_ERROR),
    "error_500": (DeleteAnswered, ProblemKind.SERVER_ERROR),
    "accepted_html": (DeleteAnswered, ProblemKind.NOT_UNDERSTOOD),
    "html": (DeleteAnswered, ProblemKind.NOT_UNDERSTOOD),
}
"""Of one that may have been. Any other fate: it hears nothing."""

READ_PROBLEMS = (
    ProblemKind.UNSENT,
    ProblemKind.UNANSWERED,
    ProblemKind.LIMITED,
    ProblemKind.UNAVAILABLE,
    ProblemKind.NOT_UNDERSTOOD,
    ProblemKind.SERVER_ERROR,
    ProblemKind.LOGIN_REFUSED,
    ProblemKind.OVER_BUDGET,
)


@dataclass
class Task:
    """`ends_at` ms; `gone` whether its success takes the pairing away."""

    id: str
    pairing: str
    entity: str | None
    ends_at: int
    status: str
    made_at: int = 0
    gone: bool = True
    listed: bool = True
    seen_to_end: bool = False


@dataclass
class Wire:
    """One DELETE that left the house. `possible`: it could have been accepted. `none_began`: it was
    answered 404, so no task that is seen after it can be its own."""

    pairing: str
    force: bool
    at: int
    possible: bool
    accepted: bool
    none_began: bool = False


@dataclass
class Estate:
    """The truth. `now` is real time of the history, which no jump of a clock touches."""

    now: Callable[[], int]
    rng: random.Random
    delete_fates: list[str]
    task_fates: list[str]
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PAIRINGS, 3))
    present: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(PAIRINGS, True))
    planned: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PAIRINGS, 1))
    """How many replications, the first ones, are in a recovery plan."""
    remote_down: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(PAIRINGS, False))
    tasks: list[Task] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    listed_at: dict[str, int] = field(default_factory=dict)
    fault_rate: float = 0.0
    fault_until: int = 0
    lies_until: int = 0
    partial_until: int = 0

    def move(self) -> None:
        """Tasks whose time has come end."""
        for task in self.tasks:
            if not task.seen_to_end and self.now() >= task.ends_at:
                task.seen_to_end = True
                if task.status == "SUCCESS" and task.gone:
                    self.present[task.pairing] = False

    def next_end(self) -> int | None:
        return min((t.ends_at for t in self.tasks if not t.seen_to_end), default=None)

    def change(self, pairing: str, what: str) -> None:
        if what == "count":
            self.counts[pairing] += 1
        elif what in ("planned", "unplanned"):
            self.planned[pairing] = 2 if what == "planned" else 0
        elif what == "gone":
            self.present[pairing] = False
        elif what in ("remote_down", "remote_up"):
            self.remote_down[pairing] = what == "remote_down"
        elif what == "partial":
            self.partial_until = self.now() + PARTIAL_MS
        else:
            entity = None if what == "nameless_task" else pairing
            self._add(pairing, entity, 20_000, "ERROR")

    def presence(self, pairing: str) -> Presence:
        """As the client finds it out: by its id, and after a 404 by the list of pairings."""
        present = self.present[pairing]
        if present and self.now() >= self.lies_until:
            return "there"
        if self.now() < self.partial_until:
            return "unlisted"
        return "there" if present else "gone"

    def snapshot(self, pairing: str, *, capitals: bool = False) -> Snapshot:
        """`capitals`: how the ids are written, which may differ from answer to answer."""
        down = self.remote_down[pairing]

        def cased(vendor_id: str) -> str:
            return vendor_id.upper() if capitals else vendor_id

        ids = [cased(f"{pairing}-{n}") for n in range(self.counts[pairing])]
        guarded = [] if down else ids[: self.planned[pairing]]
        return Snapshot(
            id=cased(pairing),
            local_vc=Server(id=cased("vc-local"), name="vc-local"),
            remote_vc=Server(id=cased(f"vc-{pairing[0]}"), name=f"vc-{pairing[0]}"),
            local_vrms=Server(id=cased("vr-local")),
            remote_vrms=Server(id=cased(f"vr-{pairing[0]}"), status="ERROR" if down else "OK"),
            count=len(ids),
            complete=not down,
            replications_digest=None if down else digest_of(ids),
            replications=tuple(Replication(id=i, name=i, protected=True) for i in guarded),
            protected=len(guarded),
            protected_digest=digest_of(guarded),
            read_at=0,
        )

    def accept(self, pairing: str) -> Task:
        fate = self.task_fates.pop(0) if self.task_fates else "success"
        form = self.rng.choice((pairing, f"Pairing:{pairing}", f"Pairing:{pairing.upper()}", None))
        span = 120_000 if fate == "success_slow" else self.rng.randrange(1_000, 20_000)
        status = {"error": "ERROR", "cancelled": "CANCELLED", "odd": "PAUSED"}.get(fate, "SUCCESS")
        task = self._add(pairing, form, span, status)
        task.gone = fate != "stays_there"
        task.listed = fate != "forgotten"
        return task

    def views(self) -> tuple[TaskView, ...]:
        self.move()
        return tuple(self.view(t) for t in self.tasks if t.listed)

    def view(self, task: Task) -> TaskView:
        ended = self.now() >= task.ends_at
        return TaskView(
            id=task.id,
            status=task.status if ended else "RUNNING",
            progress=100 if ended else 50,
            entity=task.entity,
        )

    def _add(self, pairing: str, entity: str | None, span: int, status: str) -> Task:
        now = self.now()
        task = Task(f"t{len(self.tasks)}", pairing, entity, now + span, status, made_at=now)
        self.tasks.append(task)
        return task


class AppliancePort:
    """One process's way to the estate. `step(name)` is where it can be killed, frozen or overtaken;
    `spend(ms)` lets time pass; `db_now` is the clock that answers are dated by."""

    def __init__(
        self,
        estate: Estate,
        step: Callable[[str], None],
        spend: Callable[[int], None],
        db_now: Callable[[], int],
        monotonic: Callable[[], float],
        heard: Callable[[], None],
    ) -> None:
        self.estate, self._step, self._spend = estate, step, spend
        self._db_now, self._monotonic, self._heard = db_now, monotonic, heard

    def find_and_read(self, asked: str, by: float) -> PairingRead | PairingUnresolved | CallFailed:
        return self._call(lambda: self._found(asked))

    def read_to_act(self, pairing_id: str, by: float) -> PairingRead | PresenceRead | CallFailed:
        def read() -> PairingRead | PresenceRead:
            presence = self.estate.presence(pairing_id)
            if self.estate.now() < self.estate.lies_until or presence != "there":
                return PresenceRead(pairing=presence)
            ids = tuple(t.id for t in self.estate.views())
            self.estate.listed_at[pairing_id] = self.estate.now()
            now = self.estate.snapshot(pairing_id, capitals=True)
            return PairingRead(snapshot=now, task_ids=ids)

        return self._call(read)

    def prepare_delete(self, pairing_id: str, by: float) -> CallFailed | None:
        return self._call(lambda: None)

    def end_delete(self, pairing_id: str) -> None:
        """There is no connection here."""

    def give_back(self, pairing_id: str) -> None:
        """Nor a limit of calls."""

    def read_presence(
        self, pairing_id: str, by: float, *, listed: bool, task_id: str | None
    ) -> PresenceRead | CallFailed:
        def look() -> PresenceRead:
            tasks = tuple(t for t in self.estate.views() if listed or t.id == task_id)
            return PresenceRead(tasks=tasks, pairing=self.estate.presence(pairing_id))

        return self._call(look)

    def poll_task(self, task_id: str, by: float) -> TaskPolled | CallFailed:
        def look() -> TaskPolled:
            found = (t for t in self.estate.views() if t.id == task_id)
            return TaskPolled(task=next(found, None))

        return self._call(look)

    def delete(
        self, pairing_id: str, *, force: bool, send_by: float, by: float
    ) -> DeleteAccepted | DeleteAnswered | DeleteNotAccepted:
        self._step("delete:before")
        estate = self.estate
        estate.move()
        if self._monotonic() > send_by:
            self._heard()
            return DeleteNotAccepted(problem=self._problem(ProblemKind.TOO_LATE))
        fate = estate.delete_fates.pop(0) if estate.delete_fates else "accepted"
        if not estate.present[pairing_id] and fate not in ("unsent", "unauthorized", "limited"):
            fate = "not_found"
        outcome = self._carry_out(pairing_id, force, fate)
        self._step("delete:after")
        self._heard()
        return outcome

    def _carry_out(
        self, pairing_id: str, force: bool, fate: str
    ) -> DeleteAccepted | DeleteAnswered | DeleteNotAccepted:
        estate, accepts = self.estate, fate.startswith("accepted")
        possible = fate not in IMPOSSIBLE
        wire = Wire(pairing_id, force, estate.now(), possible=possible, accepted=accepts)
        estate.wires.append(wire)
        if fate in ("not_found", "not_found_there"):
            wire.none_began = True
            if fate == "not_found_there":  # while somebody else does something with the pairing
                estate.change(pairing_id, "foreign_task")
        elif fate == "gateway":  # answers 502, and for a while 404 for what is behind it
            estate.lies_until = estate.now() + LIE_MS
            estate.partial_until = estate.now() + PARTIAL_MS
        elif possible:
            task = estate.accept(pairing_id) if accepts else None
            self._step("delete:received")
            if fate == "accepted" and task:
                return DeleteAccepted(task=estate.view(task))
            if fate == "late_accept":
                # The appliance takes it while the client waits; its time-out comes a little later.
                self._spend(TIMEOUT_MS // 2)
                if estate.present[pairing_id]:
                    estate.accept(pairing_id)
                    wire.accepted = True  # another DELETE may have left meanwhile
                self._spend(TIMEOUT_MS // 2)
            elif fate.endswith("timeout"):
                self._spend(TIMEOUT_MS)
        heard, kind = (IMPOSSIBLE | UNCLEAR).get(fate, (DeleteAnswered, ProblemKind.UNANSWERED))
        retry = self._db_now() + 400_000 if fate == "limited_long" else None
        return heard(problem=self._problem(kind, retry_at=retry))

    def _found(self, asked: str) -> PairingRead | PairingUnresolved:
        if not self.estate.present[asked]:
            return PairingUnresolved(why="none")
        return PairingRead(snapshot=self.estate.snapshot(asked))

    def _call(self, call: Callable[[], T]) -> T | CallFailed:
        estate = self.estate
        self._step("effect:before")
        estate.move()
        if estate.now() < estate.fault_until and estate.rng.random() < estate.fault_rate:
            kind = estate.rng.choice(READ_PROBLEMS)
            if kind is ProblemKind.UNANSWERED:
                self._spend(TIMEOUT_MS)
            answer: T | CallFailed = self._failed(kind)
        else:
            self._spend(estate.rng.randrange(0, 40))
            estate.move()
            answer = call()
        self._step("effect:after")
        return answer

    def _failed(self, kind: ProblemKind) -> CallFailed:
        waits = {ProblemKind.LIMITED: 20_000, ProblemKind.OVER_BUDGET: 9_000}
        waits |= {ProblemKind.LOGIN_REFUSED: 300_000, ProblemKind.UNAVAILABLE: 30_000}
        retry = self._db_now() + waits[kind] if kind in waits else None
        return CallFailed(problem=self._problem(kind, retry_at=retry))

    def _problem(self, kind: ProblemKind, retry_at: int | None = None) -> Problem:
        return Problem(kind=kind, text=f"simulated {kind.value}", retry_at=retry_at)
