"""What was read before the DELETE counts within its claim and for some seconds, also for a process
that freezes with it in its hand, and when the database's clock is set back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from bot.request.event_changes import Absorbed
from bot.request.events import Stored
from bot.request.model import Readings, State
from bot.request.problem import ProblemKind
from bot.request.who_may import Person, Verdict
from bot.steady_clock import SteadyClock
from bot.store.queues import Queue
from bot.store.saving import Claim
from tests.support.world import (
    ASKER,
    FIRST,
    TEAM,
    FakePeople,
    World,
    problem,
    snapshot,
)

LONG_MS = 5 * 60_000
OTHER = "22222222-2222-3333-4444-555555555555"
GONE = Person(id=FIRST, team=TEAM, deleted=True)


def freezes(world: World) -> None:
    world.ms += LONG_MS


def freezes_while_the_clock_is_set_back(world: World) -> None:
    """By the database's clock no time has passed; by its own it was five minutes."""
    world.frozen_ms += LONG_MS


def is_slow(world: World) -> None:
    world.ms += 12_000


def loses_the_right(world: World) -> None:
    world.people.persons[FIRST] = GONE


def is_another_pairing_now(world: World) -> None:
    world.appliance.now = snapshot(count=9, replications_digest="other")


@pytest.mark.parametrize(
    ("call", "later"),
    [
        ("read_to_act", freezes),
        ("read_to_act", freezes_while_the_clock_is_set_back),
        ("prepare_delete", freezes),
        ("prepare_delete", freezes_while_the_clock_is_set_back),
        ("prepare_delete", is_slow),
    ],
)
@pytest.mark.parametrize(
    ("changes", "end"),
    [(loses_the_right, State.PENDING), (is_another_pairing_now, State.CHANGED)],
)
def test_what_has_changed_meanwhile_does_not_count(
    world: World,
    call: str,
    later: Callable[[World], None],
    changes: Callable[[World], None],
    end: State,
) -> None:
    """A look into the database before the intent sees no change: nobody else has touched the
    row."""

    def meanwhile() -> None:
        later(world)
        changes(world)

    world.appliance.meanwhile[call] = meanwhile
    world.approved()
    world.poll(6)
    assert world.appliance.deletes == []
    assert world.state() is end
    assert world.appliance.prepared == 0, "no connection is left"


def test_a_right_that_was_lost_after_it_was_read_does_not_count(world: World) -> None:
    asked = 0

    class Freezing(FakePeople):
        def person(self, user: str) -> Person | Verdict:
            nonlocal asked
            asked += 1
            if asked == 2:  # before the intent; the first time is the click itself
                world.ms += LONG_MS
            return Person(id=user, team=TEAM, deleted=asked > 2)

    request_id = world.pending()
    world.people = Freezing()
    world.worker = world.new_worker()
    world.click(request_id, "approve", FIRST)
    world.settle()
    assert asked == 3
    assert world.appliance.deletes == []
    assert world.state() is State.PENDING


def test_an_old_reading_of_rights_decides_no_later_click(world: World) -> None:
    """A copy freezes with a yes in its hand. Another one takes over and says no, since the right is
    gone; then it is pressed again, and the first one wakes up."""
    request_id = world.pending()
    world.click(request_id, "approve", FIRST)

    class Freezing(FakePeople):
        def person(self, user: str) -> Person | Verdict:
            world.people = FakePeople({FIRST: GONE})
            world.ms += 60_000
            world.new_worker().step(Queue.DECIDE)
            world.click(request_id, "deny", FIRST)
            return Person(id=user, team=TEAM)

    world.people = Freezing()
    world.new_worker().step(Queue.DECIDE)
    world.worker = world.new_worker()
    world.settle()
    request = world.get()
    assert (request.state, request.approvals, request.denial) == (State.PENDING, (), None)
    assert world.actions().count("click_refused") == 2


def test_rights_read_before_a_wait_are_read_again_after_it(world: World) -> None:
    """Found by the simulation: the wait ends five minutes late, since the clock was set back, and
    by the clock of then the reading is some seconds old."""
    request_id = world.pending()
    world.appliance.read_failures = [problem(ProblemKind.UNSENT)]
    world.click(request_id, "approve", FIRST)
    world.settle()
    assert world.state() is State.APPROVED
    world.ms -= LONG_MS
    loses_the_right(world)
    world.wait(LONG_MS + 6_000)
    assert world.appliance.deletes == []
    assert world.state() is State.PENDING


def test_readings_that_are_as_they_should_be_are_not_stored(world: World) -> None:
    """They count within their claim alone, and each would be a commit before the DELETE."""
    stored = []
    world.appliance.meanwhile["prepare_delete"] = lambda: stored.append(world.get().readings)
    world.approved()
    assert stored == [Readings()]
    assert (len(world.appliance.deletes), world.appliance.prepared) == (1, 0)


def test_a_click_stored_while_the_process_was_frozen_beats_the_deadline(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It froze between looking for events and looking at the clock, across the deadline."""
    request_id = world.pending()
    decide_by = world.get().decide_by
    assert decide_by is not None
    world.ms = decide_by - 2_000
    world.click(request_id, "approve", ASKER)  # counts for nothing, and makes the row due
    events = world.requests.events

    def freezing(claim: Claim) -> tuple[int, list[Stored]]:
        found = events(claim)
        if not found[1] and world.ms < decide_by:
            world.click(request_id, "approve", FIRST)
            world.ms = decide_by + 1_000
        return found

    monkeypatch.setattr(world.requests, "events", freezing)
    world.settle()
    assert world.state() is State.FOLLOWING
    assert len(world.appliance.deletes) == 1


@pytest.mark.parametrize(
    ("clock", "seconds"),
    [("since_boot", 3_600.0), ("wall", 3_600.0), ("wall", -3_600.0), ("monotonic", 2.0)],
    ids=["suspended", "paused by its host", "set back", "frozen"],
)
def test_a_machine_that_stood_between_intent_and_send_sends_nothing_of_that_intent(
    world: World, clock: str, seconds: float
) -> None:
    moved = {"monotonic": 0.0, "wall": 0.0, "since_boot": 0.0}
    told = {name: partial(lambda which: world.ms / 1000 + moved[which], name) for name in moved}
    driver = world.worker.driver
    effects = replace(driver.effects, monotonic=SteadyClock(**told))
    world.worker.driver = replace(driver, effects=effects)
    save_intent, stands = world.requests.save_intent, [seconds]

    def stood(claim: Claim, step: Absorbed) -> Claim:
        saved = save_intent(claim, step)
        if stands:
            moved[clock] += stands.pop()
        return saved

    world.requests.save_intent = stood  # type: ignore[method-assign]
    world.approved()
    did = [a for a in world.actions() if a in ("intent", "not_accepted", "accepted")]
    assert did == ["intent", "not_accepted", "intent", "accepted"]
    assert len(world.appliance.deletes) == 1


def test_time_stands_still_in_no_clock_and_small_corrections_are_none() -> None:
    at = {"monotonic": 5.0, "wall": 9e9, "since_boot": 50.0}
    seconds = SteadyClock(*(partial(lambda which: at[which], name) for name in at))
    begun = seconds()
    for moves, passed in (
        ({"monotonic": 1, "wall": 1.4, "since_boot": 1}, 1),
        ({"since_boot": 60, "wall": 60}, 60),
        ({"wall": -7}, 7),
        ({}, 0),
    ):
        at = at | {name: at[name] + more for name, more in moves.items()}
        begun += passed
        assert seconds() == pytest.approx(begun)
