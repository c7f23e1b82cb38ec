"""The queues: nobody who decides waits for those at an appliance that hangs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from bot.appliance.budget import Budget, BudgetState, EffectBudget, Priority
from bot.request.events import CallFailed, PairingRead, PresenceRead, TaskPolled
from bot.request.model import State
from bot.request.problem import ProblemKind
from bot.request.who_may import Person, Verdict
from bot.store import shared
from bot.store.queues import Queue
from tests.support.clock import wait_for
from tests.support.world import (
    ASKER,
    FIRST,
    LEASE_MS,
    PATIENCE_SECONDS,
    SECOND,
    FakeAppliance,
    FakePeople,
    World,
    problem,
    snapshot,
)

MANY = 12
"""Tasks that are followed: more than there were ever threads."""

AWAY = CallFailed(problem=problem(ProblemKind.UNANSWERED))


@dataclass
class Hanging(FakeAppliance):
    """From `hang` on nothing is answered before `go`; whoever waits has `entered`."""

    hangs: bool = False
    go: threading.Event = field(default_factory=threading.Event)
    entered: threading.Event = field(default_factory=threading.Event)

    def poll_task(self, task_id: str, by: float) -> TaskPolled | CallFailed:
        return AWAY if self._hung() else super().poll_task(task_id, by)

    def read_to_act(self, pairing_id: str, by: float) -> PairingRead | PresenceRead | CallFailed:
        return AWAY if self._hung() else super().read_to_act(pairing_id, by)

    def _hung(self) -> bool:
        if self.hangs:
            self.entered.set()
            assert self.go.wait(PATIENCE_SECONDS)
        return self.hangs


def pending(world: World, *numbers: int) -> list[str]:
    ids = []
    for number in numbers:
        pairing = f"p-{number}"
        world.appliance.now = snapshot(pairing_id=pairing)
        world.put(world.ask_event(pairing=pairing), f"AAAA-{number:04d}")
        world.settle()
        ids.append(f"AAAA-{number:04d}")
        assert world.state(ids[-1]) is State.PENDING
    return ids


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(f"sqlite:///{tmp_path}/queues.db")
    world.appliance = Hanging()
    world.worker = world.new_worker()
    yield world
    world.close()


@contextmanager
def hung(world: World) -> Iterator[list[str]]:
    """MANY tasks are followed and due, the appliance has stopped to answer, and the threads run.
    Brings one more that is undecided for each number of a person's."""
    appliance = world.appliance
    assert isinstance(appliance, Hanging)
    undecided = pending(world, *range(MANY, MANY + 4))
    for number in range(MANY):
        (one,) = pending(world, number)
        world.click(one, "approve", FIRST)
        world.settle()
        assert world.state(one) is State.FOLLOWING
    appliance.hangs = True
    world.ms += world.policy.sites["default"].poll_ms + 1
    world.worker.start()
    try:
        assert appliance.entered.wait(PATIENCE_SECONDS)
        yield undecided
        assert not appliance.go.is_set()
    finally:
        appliance.go.set()
        assert world.worker.stop(PATIENCE_SECONDS)


def test_what_is_undecided_does_not_wait_for_an_appliance_that_hangs(world: World) -> None:
    with hung(world) as (taken_back, denied, agreed, left):
        world.click(taken_back, "cancel", ASKER)
        world.click(denied, "deny", FIRST)
        world.click(agreed, "approve", FIRST)
        wait_for(lambda: world.state(taken_back) is State.CANCELLED)
        wait_for(lambda: world.state(denied) is State.DENIED)
        wait_for(lambda: world.state(agreed) is State.APPROVED)
        world.click(denied, "approve", SECOND)  # too late, and told so
        wait_for(lambda: answered(world, "already_decided"))
        world.ms = world.get(left).pending_since or 0
        world.ms += world.policy.remind_after_ms
        wait_for(lambda: world.get(left).reminders == 1)
        world.ms = world.get(left).decide_by or 0
        wait_for(lambda: world.state(left) is State.EXPIRED)


def answered(world: World, code: str) -> bool:
    while world.post():
        pass
    return code in [said for _, said in world.answers]


@dataclass
class SlowOfOne(FakePeople):
    """Slack does not answer about FIRST before `go`."""

    go: threading.Event = field(default_factory=threading.Event)
    entered: threading.Event = field(default_factory=threading.Event)

    def person(self, user: str) -> Person | Verdict:
        if user == FIRST:
            self.entered.set()
            assert self.go.wait(PATIENCE_SECONDS)
        return super().person(user)


def test_one_slow_reading_of_rights_holds_up_nobody_else(world: World) -> None:
    slow, quick = pending(world, 1, 2)
    world.people = people = SlowOfOne()
    world.worker = world.new_worker()
    world.click(slow, "approve", FIRST)
    world.worker.start()
    try:
        assert people.entered.wait(PATIENCE_SECONDS)
        world.click(quick, "deny", SECOND)
        wait_for(lambda: world.state(quick) is State.DENIED)
        assert world.state(slow) is State.PENDING
    finally:
        people.go.set()
        assert world.worker.stop(PATIENCE_SECONDS)


# ---- from one queue into the other ---------------------------------------------------------------


def test_who_decides_is_never_at_the_appliance(world: World) -> None:
    (request_id,) = pending(world, 1)
    world.click(request_id, "approve", FIRST)
    while world.worker.step(Queue.DECIDE):
        pass
    assert world.state(request_id) is State.APPROVED
    assert world.worker.step(Queue.ACT), "it is due there at once"
    assert world.state(request_id) is State.FOLLOWING


def test_an_approval_that_no_longer_counts_goes_back_to_those_who_decide(world: World) -> None:
    (request_id,) = pending(world, 1)
    world.click(request_id, "approve", FIRST)
    world.worker.step(Queue.DECIDE)
    world.people.persons[FIRST] = Person(id=FIRST, team="T", deleted=True)
    world.worker.step(Queue.ACT)
    assert world.state(request_id) is State.PENDING
    assert world.next_due(Queue.DECIDE) == world.get(request_id).pending_since + 900_000
    world.click(request_id, "deny", SECOND)
    assert not world.worker.step(Queue.ACT)
    assert world.worker.step(Queue.DECIDE)
    assert world.state(request_id) is State.DENIED


def test_a_click_beside_the_card_is_decided_by_those_who_decide(world: World) -> None:
    """It came before Slack's answer to the post, so that a thread that checks hears it first."""
    world.appliance.now = snapshot(pairing_id="p-1")
    request_id = world.ask("AAAA-0001")
    while world.worker.step(Queue.CHECK):
        pass
    world.click(request_id, "approve", FIRST, message_ts="77.000")
    world.click(request_id, "deny", SECOND, message_ts="77.000")
    asked = len(world.people.asked)
    while world.worker.step(Queue.CHECK):
        pass
    assert world.state(request_id) is State.PENDING
    assert len(world.people.asked) == asked, "nobody's rights are read by who checks"
    while world.worker.step(Queue.DECIDE):
        pass
    assert world.state(request_id) is State.APPROVED


def test_six_commits_lead_from_the_click_to_the_delete(world: World) -> None:
    """The click, the claim of who decides, the decision, the claim of who acts, the calls counted,
    the intent."""
    (request_id,) = pending(world, 1)
    budget = Budget(40, lambda how: shared.change(world.db, "budget", partial(_counted, how)))
    read_to_act = world.appliance.read_to_act

    def read(pairing_id: str, by: float) -> object:
        effect = EffectBudget(budget, Priority.ACT, calls=5, later=1)
        for _ in range(4):
            effect.pay()
        return read_to_act(pairing_id, by)

    world.appliance.read_to_act = read  # type: ignore[method-assign, assignment]
    commits = committed(world)
    before: list[int] = []
    delete = world.appliance.delete

    def deleted(*args: object, **more: object) -> object:
        before.append(len(commits))
        return delete(*args, **more)  # type: ignore[arg-type]

    world.appliance.delete = deleted  # type: ignore[method-assign, assignment]
    world.click(request_id, "approve", FIRST)
    world.worker.step(Queue.DECIDE)
    world.worker.step(Queue.ACT)
    assert before == [6]


def test_a_click_that_was_only_heard_counts_with_the_next_holder(world: World) -> None:
    """It is stored with its decision, so whoever dies before that leaves it in the inbox."""
    (request_id,) = pending(world, 1)
    world.click(request_id, "approve", FIRST)
    person = world.people.person

    def dies(user: str) -> Person | Verdict:
        raise OSError("killed")

    world.people.person = dies  # type: ignore[method-assign]
    with pytest.raises(OSError, match="killed"):
        world.worker.step(Queue.DECIDE)
    assert world.get(request_id).clicks == ()
    world.people.person = person  # type: ignore[method-assign]
    world.ms += LEASE_MS + 1
    world.settle()
    assert world.state(request_id) is State.FOLLOWING
    assert world.actions().count("approved_by") == 1


def _counted(how: Callable[[BudgetState, int], BudgetState], value: str | None, now: int) -> str:
    state = BudgetState.model_validate_json(value) if value else BudgetState()
    return how(state, now).model_dump_json()


def committed(world: World) -> list[object]:
    made: list[object] = []
    write = world.db.write

    @contextmanager
    def counted(*within: float | None) -> Iterator[object]:
        with write(*within) as conn:
            yield conn
        made.append(conn)

    world.db.write = counted  # type: ignore[method-assign, assignment]
    return made
