"""What has to wait and who hears of it: once, at the first moment that it is worth a word, and
never after it is over. A wait that nobody refused costs nobody an approval or a request."""

from __future__ import annotations

import pytest

from bot.request.events import OperatorCancelled
from bot.request.model import State
from bot.request.plan import UNREACHABLE_MS
from bot.request.problem import Problem, ProblemKind
from bot.request.who_may import UNREADABLE, Person
from bot.store.queues import Queue
from tests.support.world import ASKER, FIRST, SECOND, START_MS, TEAM, World, problem

TOLD = (ASKER, "appliance_away")


def asked(world: World, *failures: Problem) -> list[tuple[str, str]]:
    """What the asker was told at once, where the first readings fail like this."""
    world.appliance.read_failures += failures
    world.ask()
    world.settle()
    return world.answers


def works(world: World) -> None:
    """Without Slack, which is away."""
    while any(world.worker.step(queue) for queue in Queue):
        pass


# ---- at the check --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", [ProblemKind.LOGIN_REFUSED, ProblemKind.LOGIN_REST], ids=["refused", "rest"]
)
def test_what_is_refused_is_said_once(world: World, kind: ProblemKind) -> None:
    assert asked(world, problem(kind, retry_at=world.ms + 299_000)) == [(ASKER, "refused")]
    assert world.state() is State.REFUSED


def test_after_ten_seconds_they_know_already(world: World) -> None:
    """By the copy that heard them, whose timer asked what the row says."""
    find = world.appliance.find_and_read

    def hangs(asked: str, by: float) -> object:
        world.ms += 10_000
        return find(asked, by)

    world.appliance.find_and_read = hangs  # type: ignore[method-assign, assignment]
    assert asked(world, problem(ProblemKind.UNANSWERED)) == []
    world.wait(2_000)
    assert world.state() is State.PENDING


def test_a_log_in_that_another_process_has_just_made_is_waited_out(world: World) -> None:
    """Two killed in a row, or three copies started at once: nobody refused anything."""
    asked(world, problem(ProblemKind.UNPROVEN, retry_at=world.ms + 5_000))
    world.wait(4_000)
    assert world.state() is State.CHECKING
    world.wait(1_000)
    assert world.state() is State.PENDING


@pytest.mark.parametrize(("minutes", "end"), [(10, State.PENDING), (60, State.REFUSED)])
def test_who_waits_for_the_budget(world: World, minutes: int, end: State) -> None:
    """Longer than an outage may last: our own limit refuses nobody. Whoever waits in vain until
    APPROVAL_TTL hears that it was the budget, and not that the appliance could not be reached."""
    for _ in range(minutes):
        room_at = world.ms + 60_000
        world.appliance.read_failures = [problem(ProblemKind.OVER_BUDGET, retry_at=room_at)]
        if world.ms == START_MS:
            world.ask()
        world.settle()
        assert (world.state(), world.answers) == (State.CHECKING, [])
        world.ms = room_at
    world.settle()
    request = world.get()
    assert (request.state, bool(request.waiting)) == (end, False)
    if end is State.REFUSED:
        assert request.outcome is not None
        assert request.outcome.problem is not None
        assert request.outcome.problem.kind is ProblemKind.OVER_BUDGET


def test_who_asks_for_patience_is_waited_for_five_minutes(world: World) -> None:
    """Whoever asked knows that it waits; a longer Retry-After gets one last try then."""
    patience = problem(ProblemKind.UNAVAILABLE, status=503, retry_at=world.ms + 30 * 60_000)
    asked(world, patience, patience)
    world.wait(UNREACHABLE_MS - 1)
    assert len(world.appliance.read_failures) == 1, "not asked before"
    world.wait(1)
    assert world.state() is State.REFUSED
    assert world.answers == [TOLD, (ASKER, "refused")]


def test_slack_that_asks_for_patience_is_waited_for_as_long(world: World) -> None:
    world.people.persons[ASKER] = UNREADABLE.model_copy(update={"retry_at": world.ms + 900_000})
    asked(world)
    world.wait(UNREACHABLE_MS)
    assert world.answers == [(ASKER, "refused")]


# ---- before the DELETE ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [ProblemKind.LOGIN_REFUSED, ProblemKind.LOGIN_REST])
def test_an_approved_one_looks_each_minute_whether_the_rest_is_over(
    world: World, kind: ProblemKind
) -> None:
    """A password that is corrected ends it, long before its time."""
    request_id = world.pending()
    world.appliance.read_failures = [problem(kind, retry_at=world.ms + 299_000)]
    world.click(request_id, "approve", FIRST)
    world.settle()
    world.wait(59_000)
    assert world.state() is State.APPROVED
    world.wait(1_000)
    assert world.state() is State.FOLLOWING


def test_the_wait_of_a_second_approval_is_told_too(world: World) -> None:
    request_id = world.pending()
    world.appliance.read_failures = [problem(ProblemKind.UNSENT) for _ in range(500)]
    world.click(request_id, "approve", FIRST)
    world.poll(9)
    world.people.persons[FIRST] = Person(id=FIRST, team=TEAM, deleted=True)
    assert world.poll().state is State.PENDING
    world.click(request_id, "approve", SECOND)
    world.poll(9)
    assert world.notices() == ["waits_to_send", "rights_lost"]
    assert world.get().notices[0].times == 2


def test_a_wait_that_is_over_is_not_told_late(world: World) -> None:
    """Slack was away meanwhile: "The bot keeps trying" below the end of a request is not so."""
    request_id = world.pending()
    world.appliance.read_failures = [problem(ProblemKind.UNSENT) for _ in range(500)]
    world.click(request_id, "approve", FIRST)
    for _ in range(9):
        works(world)
        world.ms += 5_000
    assert world.notices() == ["waits_to_send"]
    world.click(request_id, "cancel", ASKER)
    works(world)
    assert world.state() is State.CANCELLED
    world.settle()
    posted = [slot for _, slot, how in world.posted if how == "post"]
    assert "final" in posted
    assert not [slot for slot in posted if slot.startswith("notice")]


# ---- who would else hear nothing -----------------------------------------------------------------


def test_taken_back_while_slack_was_away_and_then_the_card_is_refused(world: World) -> None:
    request_id = world.ask()
    works(world)
    world.put(OperatorCancelled(operator="olga"), request_id)
    works(world)
    card = world.outbox.claim()
    assert card is not None
    world.outbox.given_up(card, error="not_in_channel")
    world.settle()
    assert world.state() is State.CANCELLED
    assert world.answers == [(ASKER, "cancelled")]
    assert "card_refused" in world.actions()
