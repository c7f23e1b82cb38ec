"""A small world around the real worker and the real store: a clock, an appliance, people, Slack.

Everything runs in the test's own thread, one step at a time; nothing is timed by a real clock.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bot.request.events import (
    Asked,
    CallFailed,
    Clicked,
    DeleteAccepted,
    DeleteOutcome,
    Event,
    PairingRead,
    PresenceRead,
    TaskPolled,
)
from bot.request.lookup_results import ListedPairing
from bot.request.messages import NO_LONGER_WANTED, Drawn, messages
from bot.request.model import Outcome, Request, State
from bot.request.pairing import (
    Pairing,
    PairingUnresolved,
    Presence,
    Replication,
    Server,
    Snapshot,
    digest_of,
    same_id,
)
from bot.request.pools import Pool
from bot.request.problem import Problem, ProblemKind
from bot.request.task import TaskView
from bot.request.who_may import UNREADABLE, Home, Person, Policy, SiteTerms, Verdict
from bot.slack.draw.message import draw_answer
from bot.store import audit_trail as trail
from bot.store.database import Database
from bot.store.inbox import Inbox
from bot.store.migrate import upgrade
from bot.store.outbox import Outbox
from bot.store.queries import Overview
from bot.store.queues import Queue, next_due
from bot.store.requests import Requests
from bot.worker.drive import Driver
from bot.worker.effects import Effects
from bot.worker.find_pairings import Lists
from bot.worker.queue_threads import Worker

T = TypeVar("T")

PAIRING = "11111111-2222-3333-4444-555555555555"
CHANNEL, TEAM = "C0OPS", "T0HOME"
ASKER, FIRST, SECOND = "U0ASKER", "U0FIRST", "U0SECOND"
START_MS = 1_800_000_000_000
LEASE_MS = 25_000
POLL_MS = 5_000
PATIENCE_SECONDS = 60.0
"""For a worker whose own threads run."""


def snapshot(count: int = 3, **changes: object) -> Snapshot:
    """Of another pairing, where its id is given: that one leads to another vCenter."""
    remote = f"vc-of-{changes['id']}" if "id" in changes else "vc-b"
    ids = [f"replication-{n}" for n in range(count)]
    plain = Snapshot(
        id=PAIRING,
        local_vc=Server(id="vc-a", name="vc-berlin.example.net"),
        remote_vc=Server(id=remote, name="vc-prague.example.net"),
        local_vrms=Server(id="vr-a", status="OK"),
        remote_vrms=Server(id="vr-b", status="OK"),
        count=count,
        complete=True,
        replications_digest=digest_of(ids),
        replications=tuple(Replication(id=each, name=each) for each in ids),
        read_at=START_MS,
    )
    return plain.model_copy(update=changes)


def problem(kind: ProblemKind, **more: object) -> Problem:
    return Problem.model_validate({"kind": kind, "text": f"a {kind} problem", **more})


@dataclass
class FakeAppliance:
    """What it holds, and what the next calls bring instead where something is queued.
    `list_whole`: whether its list of pairings is, by its own word. `contradicts`: it answers 404
    for a pairing that its list has."""

    now: Snapshot = field(default_factory=snapshot)
    present: bool = True
    list_whole: bool = True
    contradicts: bool = False
    tasks: list[TaskView] = field(default_factory=list)
    read_failures: list[Problem] = field(default_factory=list)
    look_failures: list[Problem] = field(default_factory=list)
    prepare_failures: list[Problem] = field(default_factory=list)
    delete_outcomes: list[DeleteOutcome] = field(default_factory=list)
    deletes: list[tuple[str, bool]] = field(default_factory=list)
    listings: int = 0
    prepared: int = 0
    counted: set[str] = field(default_factory=set)
    """Pairings whose DELETE has a place in the minute, and is not sent."""
    polls: list[str] = field(default_factory=list)
    meanwhile: dict[str, Callable[[], object]] = field(default_factory=dict)
    """By the name of a call, what happens once while its answer is on the way."""

    def _after(self, call: str, answer: T) -> T:
        if happens := self.meanwhile.pop(call, None):
            happens()
        return answer

    def find_and_read(self, asked: str, by: float) -> PairingRead | PairingUnresolved | CallFailed:
        if self.read_failures:
            return self._after("find_and_read", CallFailed(problem=self.read_failures.pop(0)))
        if not self.present or asked not in (PAIRING, self.now.id, "prague"):
            return PairingUnresolved(why="none")
        return PairingRead(snapshot=self.now)

    def list_pairings(
        self, by: float, *, count_at_most: int
    ) -> tuple[tuple[ListedPairing, ...], tuple[str, ...]] | CallFailed:
        if self.look_failures:
            return CallFailed(problem=self.look_failures.pop(0))
        kept = {name: getattr(self.now, name) for name in Pairing.model_fields}
        one = ListedPairing(pairing=Pairing(**kept))
        return ((one,) if self.present else ()), ()

    @property
    def presence(self) -> Presence:
        if self.present:
            return "there"
        return "gone" if self.list_whole else "unlisted"

    def read_to_act(self, pairing_id: str, by: float) -> PairingRead | PresenceRead | CallFailed:
        if self.read_failures:
            return CallFailed(problem=self.read_failures.pop(0))
        if not self.present or self.contradicts:
            return PresenceRead(pairing=self.presence)
        self.listings += 1
        self.counted.add(pairing_id)
        read = PairingRead(snapshot=self.now, task_ids=tuple(t.id for t in self.tasks))
        return self._after("read_to_act", read)

    def prepare_delete(self, pairing_id: str, by: float) -> CallFailed | None:
        if self.prepare_failures:
            return CallFailed(problem=self.prepare_failures.pop(0))
        self.prepared += 1
        return self._after("prepare_delete", None)

    def end_delete(self, pairing_id: str) -> None:
        self.prepared -= 1

    def give_back(self, pairing_id: str) -> None:
        self.counted.discard(pairing_id)

    def delete(self, pairing_id: str, *, force: bool, send_by: float, by: float) -> DeleteOutcome:
        self.deletes.append((pairing_id, force))
        if self.delete_outcomes:
            return self._after("delete", self.delete_outcomes.pop(0))
        task = TaskView(id=f"task:{len(self.tasks)}:x", status="RUNNING", entity=pairing_id)
        self.tasks.append(task)
        return self._after("delete", DeleteAccepted(task=task))

    def read_presence(
        self, pairing_id: str, by: float, *, listed: bool, task_id: str | None
    ) -> PresenceRead | CallFailed:
        self.listings += listed
        if self.look_failures:
            return CallFailed(problem=self.look_failures.pop(0))
        tasks = [t for t in self.tasks if listed or same_id(t.id, task_id)]
        read = PresenceRead(tasks=tuple(tasks), pairing=self.presence)
        return self._after("read_presence", read)

    def poll_task(self, task_id: str, by: float) -> TaskPolled | CallFailed:
        self.polls.append(task_id)
        if self.look_failures:
            return CallFailed(problem=self.look_failures.pop(0))
        return TaskPolled(task=next((t for t in self.tasks if t.id == task_id), None))

    def end_task(self, status: str = "SUCCESS", *, gone: bool = True, **error: str) -> None:
        self.tasks[-1] = self.tasks[-1].model_copy(update={"status": status, **error})
        if gone:
            self.present = False


@dataclass
class FakePeople:
    persons: dict[str, Person | Verdict] = field(default_factory=dict)
    unreadable: bool = False
    asked: list[str] = field(default_factory=list)
    groups: dict[str, frozenset[str] | Verdict] = field(default_factory=dict)
    groups_asked: list[str] = field(default_factory=list)
    seeing: frozenset[str] | Verdict | None = None

    def home(self) -> Home:
        return Home(team=TEAM)

    def person(self, user: str) -> Person | Verdict:
        self.asked.append(user)
        if self.unreadable:
            return UNREADABLE
        return self.persons.get(user, Person(id=user, team=TEAM))

    def members(self, group: str) -> frozenset[str] | Verdict:
        self.groups_asked.append(group)
        return self.groups.get(group, frozenset())

    def who_sees(self, channel: str) -> frozenset[str] | Verdict | None:
        return self.seeing


def draw(request: Request, slot: str) -> Drawn:
    """Words enough to tell one look of a message from another."""
    decided = [d.by for d in request.approvals]
    progress = request.task.progress if request.task else None
    return Drawn(text=f"{slot} {request.state} {decided} {progress} {request.outcome}")


def one_pool(needed: int, *listed: str) -> tuple[Pool, ...]:
    """What APPROVERS makes."""
    return (Pool(needed=needed, listed=listed),)


def changed_policy(policy: Policy, **changes: Any) -> Policy:
    """With these settings instead; those of pools are for each pool."""
    two = changes.pop("pools", None)
    pools, forced = two or policy.pools, two or policy.force_pools
    approvers = changes.pop("approvers", None)
    people = {} if approvers is None else {"listed": tuple(sorted(approvers))}
    plain, force = ({**people} for _ in range(2))
    for name, more in (("approvals_required", plain), ("force_approvals_required", force)):
        more |= {"needed": changes.pop(name)} if name in changes else {}
    pools = tuple(pool.model_copy(update=plain) for pool in pools)
    forced = tuple(pool.model_copy(update=force) for pool in forced)
    return policy.model_copy(update={"pools": pools, "force_pools": forced, **changes})


def policy(
    approvers: frozenset[str] = frozenset({FIRST, SECOND, ASKER}),
    approvals_required: int = 1,
    force_approvals_required: int = 1,
    **changes: object,
) -> Policy:
    """One pool of `approvers`, unless `pools` are given."""
    listed = sorted(approvers)
    plain = {
        "pools": one_pool(approvals_required, *listed),
        "force_pools": changes.get("pools", one_pool(force_approvals_required, *listed)),
        "notify": (FIRST,),
        "requesters": None,
        "channels": None,
        "require_reason": False,
        "reason_pattern": None,
        "approval_ttl_ms": 3_600_000,
        "execution_ttl_ms": 600_000,
        "follow_ttl_ms": 86_400_000,
        "remind_after_ms": 900_000,
        "dry_run": False,
        "label": "",
        "sites": {
            "default": SiteTerms(appliance="vr.example.net", poll_ms=POLL_MS, timeout_ms=10_000)
        },
    }
    return Policy.model_validate({**plain, **changes})


class World:
    def __init__(self, database: str = "sqlite://", **changes: Any) -> None:
        self.ms = START_MS
        self.frozen_ms = 0
        """Passed by the process's own clock alone, which nobody can set."""
        self.stopping = False
        self.witness: Callable[[float], Problem | None] = lambda _within_s: None
        self.appliances = {site: FakeAppliance() for site in policy(**changes).sites}
        self.appliance = next(iter(self.appliances.values()))
        self.people = FakePeople()
        self.db = Database(database, now=lambda: self.ms)
        upgrade(self.db)
        self.policy = policy(**changes)
        self.inbox, self.outbox = Inbox(self.db), Outbox(self.db, 25_000)
        self.requests = Requests(db=self.db, lease_ms=LEASE_MS)
        self.overview = Overview(self.db)
        self.worker = self.new_worker()
        self._origins = itertools.count()
        self._ts = itertools.count(1)
        self.posted: list[tuple[str, str, str]] = []
        self.answers: list[tuple[str, str]] = []
        self.params: list[dict[str, str]] = []
        """Of those answers."""

    def new_worker(self) -> Worker:
        def monotonic() -> float:
            return (self.ms + self.frozen_ms) / 1000

        first = next(iter(self.policy.sites))
        appliances = {
            site: self.appliance if site == first else self.appliances[site]
            for site in self.policy.sites
        }
        effects = Effects(
            policy=self.policy,
            people=self.people,
            appliances=appliances,
            overview=self.overview,
            lists=Lists(appliances, self.db.clock, monotonic),
            monotonic=monotonic,
            witness=self.witness,
        )
        driver = Driver(self.requests, self.inbox, effects, lambda: self.stopping)
        return Worker(self.requests, driver, self.policy)

    def next_due(self, queue: Queue) -> int | None:
        """When a row of this queue is due by its own time."""
        with self.db.read() as conn:
            due: int | None = conn.execute(next_due(queue)).scalar_one()
            return due

    # ---- people -------------------------------------------------------------------------------

    def ask(self, request_id: str = "AAAA-BBBB", *, force: bool = False, by: str = ASKER) -> str:
        self.put(self.ask_event(force=force, requester=by), request_id)
        return request_id

    def ask_event(self, **changes: object) -> Asked:
        plain = Asked(
            site="default",
            pairing=PAIRING,
            force=False,
            reason="moving",
            requester=ASKER,
            team=TEAM,
            channel=CHANNEL,
        )
        return plain.model_copy(update=changes)

    def put(self, event: Event, request_id: str, origin: str | None = None) -> int | None:
        """Any event, as a listener leaves it."""
        origin = origin or f"origin-{next(self._origins)}"
        return self.inbox.put(event, origin=origin, request_id=request_id)

    def click(
        self, request_id: str, action: str, by: str, *, origin: str | None = None, **changes: object
    ) -> int | None:
        request = self.get(request_id)
        plain = {
            "action": action,
            "by": by,
            "team": TEAM,
            "fingerprint": request.fingerprint or "",
            "channel": CHANNEL,
            "message_ts": request.card_ts or "",
            "ours": True,
            "reason": "no" if action == "deny" else None,
        }
        return self.put(Clicked.model_validate({**plain, **changes}), request_id, origin)

    def press(self, action: str, by: str, request_id: str = "AAAA-BBBB", **changes: object) -> None:
        """Click, and let everything that comes of it be done."""
        self.click(request_id, action, by, **changes)  # type: ignore[arg-type]
        self.settle()

    # ---- time and work ------------------------------------------------------------------------

    def settle(self) -> None:
        """Work and post until nothing is due now."""
        for _ in range(500):
            worked = any(
                self.worker.step(queue) for queue in (Queue.ACT, Queue.DECIDE, Queue.CHECK)
            )
            posted = self.post()
            if not worked and not posted:
                return
        raise AssertionError("it never comes to rest")

    def post(self) -> bool:
        due = self.outbox.claim()
        if due is None:
            return False
        if due.answer:
            assert draw_answer(due.answer, due.request).text, "each has words"
            self.answers.append((due.user or "", due.answer.code))
            self.params.append(due.answer.params)
            self.outbox.sent(due, ts=None, digest="answered")
            return True
        request = due.request
        assert request is not None
        if due.slot not in {message.slot for message in messages(request, self.ms)}:
            self.outbox.given_up(due, error=NO_LONGER_WANTED)
            return True
        digest = draw(request, due.slot).digest
        if digest != due.shown:
            self.posted.append((due.request_id, due.slot, "edit" if due.ts else "post"))
        ts = due.ts or f"{next(self._ts)}.000"
        self.outbox.sent(due, ts=ts, digest=digest)
        return True

    def wait(self, ms: int) -> None:
        self.ms += ms
        self.settle()

    def get(self, request_id: str = "AAAA-BBBB") -> Request:
        request = self.overview.get(request_id)
        assert request is not None
        return request

    def state(self, request_id: str = "AAAA-BBBB") -> State:
        return self.get(request_id).state

    def outcome(self, request_id: str = "AAAA-BBBB") -> Outcome:
        outcome = self.get(request_id).outcome
        assert outcome is not None
        return outcome

    def pending(self, *, force: bool = False) -> str:
        request_id = self.ask(force=force)
        self.settle()
        assert self.state() is State.PENDING
        return request_id

    def approved(self, *outcomes: DeleteOutcome) -> Request:
        """One request, approved, whose DELETEs bring these outcomes in turn."""
        self.appliance.delete_outcomes += outcomes
        self.click(self.pending(), "approve", FIRST)
        self.settle()
        return self.get()

    def poll(self, times: int = 1) -> Request:
        """As long as so many polls take."""
        for _ in range(times):
            self.wait(POLL_MS)
        return self.get()

    def end(self) -> tuple[State, str]:
        """Its state, and why."""
        request = self.get()
        return request.state, request.outcome.code if request.outcome else ""

    def notices(self) -> list[str]:
        return [notice.code for notice in self.get().notices]

    def actions(self) -> list[str]:
        return [record.action for record in trail.export(self.db)]

    def close(self) -> None:
        self.db.close()
