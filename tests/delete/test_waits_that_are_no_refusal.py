"""What a process that froze or was killed leaves behind costs nobody an approval or a request."""

from __future__ import annotations

import pytest

from bot.request.events import Stored
from bot.request.model import State
from bot.request.plan import UNREACHABLE_MS
from bot.request.problem import ProblemKind
from bot.request.who_may import UNREADABLE
from bot.slack.draw.words.endings import ending
from bot.store.saving import Claim
from tests.support.world import ASKER, FIRST, World, problem


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


def test_a_check_waits_out_a_log_in_that_another_process_has_just_made(world: World) -> None:
    """Two killed in a row, or three copies started at once: nobody refused anything."""
    rest = problem(ProblemKind.UNPROVEN, retry_at=world.ms + 5_000)
    world.appliance.read_failures = [rest]
    world.ask()
    world.settle()
    assert world.state() is State.CHECKING
    world.wait(4_000)
    assert world.state() is State.CHECKING
    world.wait(1_000)
    assert world.state() is State.PENDING


def test_a_rest_after_a_refused_log_in_refuses_the_request(world: World) -> None:
    world.appliance.read_failures = [problem(ProblemKind.LOGIN_REST, retry_at=world.ms + 299_000)]
    world.ask()
    world.settle()
    assert world.state() is State.REFUSED
    assert world.answers == [(ASKER, "refused")]


@pytest.mark.parametrize("kind", [ProblemKind.LOGIN_REFUSED, ProblemKind.LOGIN_REST])
def test_an_approved_one_looks_each_minute_whether_the_rest_is_over(
    world: World, kind: ProblemKind
) -> None:
    """A password that is corrected ends it, long before its time."""
    request_id = world.pending()
    world.appliance.read_failures = [problem(kind, retry_at=world.ms + 299_000)]
    world.click(request_id, "approve", FIRST)
    world.settle()
    assert world.state() is State.APPROVED
    world.wait(59_000)
    assert world.state() is State.APPROVED
    world.wait(1_000)
    assert world.state() is State.FOLLOWING


def test_who_waits_for_the_budget_gets_the_card(world: World) -> None:
    """Longer than an outage may last: our own limit refuses nobody."""
    failures = world.appliance.read_failures
    failures[:] = [problem(ProblemKind.OVER_BUDGET, retry_at=world.ms + 29_000)]
    world.ask()
    world.settle()
    assert world.answers == []
    for _ in range(10):
        failures[:] = [problem(ProblemKind.OVER_BUDGET, retry_at=world.ms + 89_000)]
        world.wait(60_000)
    assert world.state() is State.CHECKING
    world.wait(60_000)
    assert world.state() is State.PENDING
    assert world.get().waiting is None
    assert world.answers == []


def test_who_waits_for_the_budget_in_vain_hears_that_it_was_the_budget(world: World) -> None:
    """And not that the appliance could not be reached: it was never asked."""
    world.ask()
    for _ in range(60):
        room_at = world.ms + 60_000
        world.appliance.read_failures = [problem(ProblemKind.OVER_BUDGET, retry_at=room_at)]
        world.settle()
        assert world.state() is State.CHECKING
        world.ms = room_at
    world.settle()
    refused = world.get()
    assert refused.state is State.REFUSED
    assert refused.outcome is not None
    assert refused.outcome.problem is not None
    assert refused.outcome.problem.kind is ProblemKind.OVER_BUDGET
    assert "own limit of calls" in ending(refused, refused.outcome).title


def test_an_appliance_that_asks_for_patience_is_waited_for_five_minutes(world: World) -> None:
    """Whoever asked knows that it waits; a longer Retry-After gets one last try then."""
    patience = problem(ProblemKind.UNAVAILABLE, status=503, retry_at=world.ms + 30 * 60_000)
    world.appliance.read_failures = [patience, patience]
    world.ask()
    world.settle()
    world.wait(UNREACHABLE_MS - 1)
    assert len(world.appliance.read_failures) == 1, "not asked before"
    world.wait(1)
    assert world.state() is State.REFUSED
    assert world.answers == [(ASKER, "appliance_away"), (ASKER, "refused")]


def test_slack_that_asks_for_patience_at_a_check_is_waited_for_as_long(world: World) -> None:
    world.people.persons[ASKER] = UNREADABLE.model_copy(update={"retry_at": world.ms + 900_000})
    world.ask()
    world.settle()
    world.wait(UNREACHABLE_MS)
    assert world.answers == [(ASKER, "refused")]


def test_no_room_while_a_task_is_followed_is_told_to_nobody(world: World) -> None:
    """A minute of our own limit says nothing of the task, however often it comes."""
    world.ask()
    world.settle()
    world.click("AAAA-BBBB", "approve", FIRST)
    world.settle()
    assert world.state() is State.FOLLOWING
    for _ in range(80):
        room_at = world.ms + 45_000
        world.appliance.look_failures = [problem(ProblemKind.OVER_BUDGET, retry_at=room_at)]
        world.wait(6_000)
        assert world.get().not_before == room_at
        world.ms = room_at
        world.settle()
    assert world.get().notices == ()
    assert world.get().waiting is None
    world.appliance.end_task()
    world.wait(10_000)
    assert world.state() is State.SUCCEEDED
    assert world.get().notices == ()
