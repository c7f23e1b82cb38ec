"""The queues: nobody who decides waits for those at an appliance that hangs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from bot.appliance.budget import Budget, EffectBudget, Priority, in_store
from bot.request.events import CallFailed
from bot.request.model import State
from bot.request.problem import ProblemKind
from bot.request.who_may import Person, SiteTerms, Verdict
from bot.store.database import change_shared
from bot.store.queues import Queue
from tests.support.clock import wait_for
from tests.support.world import (
    ASKER,
    FIRST,
    PATIENCE_SECONDS,
    POLL_MS,
    SECOND,
    FakePeople,
    World,
    problem,
    snapshot,
)

SITES = {
    site: SiteTerms(appliance=f"vr-{site}.example.net", poll_ms=POLL_MS, timeout_ms=10_000)
    for site in ("default", "prague")
}
MANY = 12
"""Tasks that are followed: more than there were ever threads."""


@pytest.fixture
def world(world_on_file: World) -> World:
    return world_on_file


@dataclass
class Hang:
    """Whoever calls it waits there until `go`, having `entered`."""

    go: threading.Event = field(default_factory=threading.Event)
    entered: threading.Event = field(default_factory=threading.Event)

    def __call__(self, *_: object, **__: object) -> Any:
        self.entered.set()
        assert self.go.wait(PATIENCE_SECONDS)
        return CallFailed(problem=problem(ProblemKind.UNANSWERED))


def pending(world: World, number: int) -> str:
    pairing, request_id = f"p-{number}", f"AAAA-{number:04d}"
    world.appliance.now = snapshot(id=pairing)
    world.put(world.ask_event(pairing=pairing), request_id)
    world.settle()
    assert world.state(request_id) is State.PENDING
    return request_id


@contextmanager
def running(world: World, hang: Hang) -> Iterator[None]:
    """The worker's threads run, until one hangs; and it hangs to the end."""
    world.worker.start()
    try:
        assert hang.entered.wait(PATIENCE_SECONDS)
        yield
        assert not hang.go.is_set()
    finally:
        hang.go.set()
        assert world.worker.stop(PATIENCE_SECONDS)


def works(world: World, queue: Queue) -> None:
    while world.worker.step(queue):
        pass


def test_what_is_undecided_does_not_wait_for_an_appliance_that_hangs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken_back, denied, agreed, left = (pending(world, n) for n in range(MANY, MANY + 4))
    for number in range(MANY):
        one = pending(world, number)
        world.click(one, "approve", FIRST)
        world.settle()
        assert world.state(one) is State.FOLLOWING
    hang = Hang()
    monkeypatch.setattr(world.appliance, "poll_task", hang)
    monkeypatch.setattr(world.appliance, "read_to_act", hang)
    world.ms += POLL_MS + 1
    with running(world, hang):
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


@pytest.mark.policy(sites=SITES)
def test_an_appliance_that_hangs_holds_up_nobody_at_another(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither what is new there nor what is approved, whatever waits for the other one."""
    prague = world.appliances["prague"]
    prague.now = snapshot(id="p-healthy")
    world.put(world.ask_event(site="prague", pairing="p-healthy"), "BBBB-0001")
    for number in range(MANY):
        world.click(pending(world, number), "approve", FIRST)
        world.settle()
    approved = [pending(world, number) for number in range(MANY, 2 * MANY)]
    for each in approved:
        world.click(each, "approve", FIRST)
    works(world, Queue.DECIDE)
    for number in range(MANY):
        world.put(world.ask_event(pairing=f"p-new-{number}"), f"CCCC-{number:04d}")
    hang = Hang()
    for call in ("find_and_read", "poll_task", "read_to_act"):
        monkeypatch.setattr(world.appliance, call, hang)
    world.ms += POLL_MS + 1
    with running(world, hang):
        world.click("BBBB-0001", "approve", FIRST)
        wait_for(lambda: prague.deletes)
        prague.now = snapshot(id="p-next")
        world.put(world.ask_event(site="prague", pairing="p-next"), "BBBB-0002")
        wait_for(lambda: (new := world.overview.get("BBBB-0002")) and new.snapshot)
        assert {world.state(each) for each in approved} == {State.APPROVED}


def answered(world: World, code: str) -> bool:
    while world.post():
        pass
    return code in [said for _, said in world.answers]


def test_one_slow_reading_of_rights_holds_up_nobody_else(world: World) -> None:
    hang = Hang()

    class SlowOfOne(FakePeople):
        def person(self, user: str) -> Person | Verdict:
            if user == FIRST:
                hang()
            return super().person(user)

    slow, quick = pending(world, 1), pending(world, 2)
    world.people = SlowOfOne()
    world.worker = world.new_worker()
    world.click(slow, "approve", FIRST)
    with running(world, hang):
        world.click(quick, "deny", SECOND)
        wait_for(lambda: world.state(quick) is State.DENIED)
        assert world.state(slow) is State.PENDING


# ---- from one queue into the other ---------------------------------------------------------------


def test_a_click_beside_the_card_is_decided_by_those_who_decide(world: World) -> None:
    """It came before Slack's answer to the post, so that a thread that checks hears it first."""
    request_id = world.ask()
    works(world, Queue.CHECK)
    world.click(request_id, "approve", FIRST, message_ts="77.000")
    world.click(request_id, "deny", SECOND, message_ts="77.000")
    asked = len(world.people.asked)
    works(world, Queue.CHECK)
    assert world.state() is State.PENDING
    assert len(world.people.asked) == asked, "nobody's rights are read by who checks"
    works(world, Queue.DECIDE)
    assert world.state() is State.APPROVED


def test_six_commits_lead_from_the_click_to_the_delete(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The click, the claim of who decides, the decision, the claim of who acts, the calls counted,
    the intent."""
    request_id = world.pending()
    budget = Budget(40, in_store(partial(change_shared, world.db, "budget")))
    commits, before = committed(world), []

    def pays() -> None:
        effect = EffectBudget(budget, Priority.ACT, calls=5, later=1)
        for _ in range(4):
            effect.pay()

    world.appliance.meanwhile["read_to_act"] = pays
    world.appliance.meanwhile["delete"] = lambda: before.append(len(commits))
    world.click(request_id, "approve", FIRST)
    world.worker.step(Queue.DECIDE)
    world.worker.step(Queue.ACT)
    assert before == [6]


def committed(world: World) -> list[object]:
    made: list[object] = []
    write: Callable[..., Any] = world.db.write

    @contextmanager
    def counted(*within: float | None) -> Iterator[object]:
        with write(*within) as conn:
            yield conn
        made.append(conn)

    world.db.write = counted  # type: ignore[method-assign, assignment]
    return made
