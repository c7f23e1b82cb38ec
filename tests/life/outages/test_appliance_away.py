"""The appliance answers nothing for a while, or no more: waited out, told once, sent once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.request.events import DeleteAnswered
from bot.request.model import State
from bot.request.problem import Problem, ProblemKind
from tests.support.world import ASKER, FIRST, World, problem

MINUTE = 60_000
STEP = 5_000
AWAY = problem(ProblemKind.UNSENT)
REQUEST = "AAAA-BBBB"


class Outage(list[Problem]):
    """Every call fails in the same way while `on`."""

    def __init__(self, failure: Problem) -> None:
        super().__init__([failure])
        self.on, self.calls = True, 0

    def __bool__(self) -> bool:
        return self.on

    def pop(self, _index: object = 0) -> Problem:  # type: ignore[override]
        self.calls += 1
        return self[0]


@pytest.fixture
def away() -> Iterator[World]:
    world = World()
    yield world
    world.close()


def goes_away(world: World, failure: Problem = AWAY) -> Outage:
    outage = Outage(failure)
    world.appliance.read_failures = outage
    world.appliance.look_failures = outage
    world.appliance.prepare_failures = outage
    return outage


def lives_through(world: World, ms: int, step: int = STEP) -> None:
    """In steps of one poll, as a process does; in longer ones where that is all the same."""
    until = world.ms + ms
    while world.ms < until:
        world.wait(min(step, until - world.ms))


def told(world: World) -> list[str]:
    return [notice.code for notice in world.get().notices]


def code(world: World) -> str:
    outcome = world.get().outcome
    assert outcome is not None
    return outcome.code


def approved(world: World) -> None:
    world.pending()
    world.click(REQUEST, "approve", FIRST)


def following(world: World) -> None:
    approved(world)
    world.settle()
    assert world.state() is State.FOLLOWING


def answer_lost(world: World) -> Outage:
    """And the appliance is away from then on."""
    approved(world)
    world.appliance.delete_outcomes = [DeleteAnswered(problem=problem(ProblemKind.UNANSWERED))]
    world.settle()
    assert world.state() is State.DELETING
    return goes_away(world)


@pytest.mark.parametrize("kind", [ProblemKind.UNSENT, ProblemKind.UNANSWERED])
def test_a_check_gives_up_after_five_minutes_and_tells_the_asker_alone(
    away: World, kind: ProblemKind
) -> None:
    goes_away(away, problem(kind))
    away.ask()
    lives_through(away, 5 * MINUTE - STEP)
    assert away.state() is State.CHECKING
    assert away.answers == [(ASKER, "appliance_away")]
    lives_through(away, 2 * STEP)
    assert (away.state(), code(away)) == (State.REFUSED, "unreachable")
    lives_through(away, 5 * MINUTE)
    assert away.answers == [(ASKER, "appliance_away"), (ASKER, "refused")]
    assert away.posted == []  # the channel hears nothing


def test_a_check_goes_on_when_the_appliance_is_back_in_time(away: World) -> None:
    outage = goes_away(away)
    away.ask()
    lives_through(away, 4 * MINUTE)
    outage.on = False
    lives_through(away, STEP)
    assert away.state() is State.PENDING
    assert away.answers == [(ASKER, "appliance_away")]


@pytest.mark.parametrize(
    ("lasts_ms", "notices"),
    [(20_000, []), (5 * MINUTE, ["waits_to_send", "goes_on"])],  # a hiccup is nobody's news
)
def test_an_approval_waits_is_told_once_and_is_sent_once(
    away: World, lasts_ms: int, notices: list[str]
) -> None:
    approved(away)
    outage = goes_away(away)
    lives_through(away, lasts_ms)
    assert (away.state(), away.appliance.deletes) == (State.APPROVED, [])
    outage.on = False
    lives_through(away, STEP)
    assert told(away) == notices
    posts = [slot for _, slot, how in away.posted if how == "post"]
    assert sum(slot.startswith("notice") for slot in posts) == len(notices)
    assert away.state() is State.FOLLOWING
    assert len(away.appliance.deletes) == 1


def test_an_approval_runs_out_after_execution_ttl_and_nothing_was_sent(away: World) -> None:
    approved(away)
    outage = goes_away(away)
    lives_through(away, 10 * MINUTE - STEP)
    assert away.state() is State.APPROVED
    lives_through(away, 2 * STEP)
    assert (away.state(), code(away)) == (State.EXPIRED, "not_begun")
    outage.on = False
    lives_through(away, 5 * MINUTE)
    assert away.appliance.deletes == []
    assert told(away) == ["waits_to_send"]
    assert [slot for _, slot, _ in away.posted].count("final") == 1


def test_an_unknown_fate_is_looked_at_until_follow_ttl_and_never_sent_again(away: World) -> None:
    outage = answer_lost(away)
    lives_through(away, 60 * MINUTE, step=MINUTE)
    assert away.state() is State.DELETING
    assert told(away) == ["waits_to_look"]
    away.ms = (away.get().follow_by or 0) - STEP
    away.settle()
    lives_through(away, 2 * STEP)
    assert away.state() is State.ATTENTION
    assert outage.calls >= 60
    assert len(away.appliance.deletes) == 1
    assert [slot for _, slot, _ in away.posted].count("final") == 1


@pytest.mark.parametrize("gone", [True, False])
def test_an_unknown_fate_is_found_when_the_appliance_is_back(away: World, gone: bool) -> None:
    outage = answer_lost(away)
    lives_through(away, 10 * MINUTE)
    away.appliance.present = not gone
    outage.on = False
    lives_through(away, MINUTE)
    assert away.state() is (State.SUCCEEDED if gone else State.ATTENTION)
    assert told(away) == ["waits_to_look", "goes_on"]
    assert len(away.appliance.deletes) == 1


def test_each_outage_of_a_task_is_told_once_and_its_end_once(away: World) -> None:
    following(away)
    for _ in range(2):
        outage = goes_away(away)
        lives_through(away, 3 * MINUTE)
        outage.on = False
        lives_through(away, 2 * STEP)
    assert told(away) == ["waits_to_follow", "goes_on"] * 2
    away.appliance.end_task()
    lives_through(away, 2 * STEP)
    assert away.state() is State.SUCCEEDED
    assert len(away.appliance.deletes) == 1


def test_a_task_is_followed_until_follow_ttl(away: World) -> None:
    following(away)
    goes_away(away)
    away.ms = (away.get().follow_by or 0) - STEP
    away.settle()
    assert away.state() is State.FOLLOWING
    lives_through(away, 2 * STEP)
    assert (away.state(), code(away)) == (State.ATTENTION, "follow_ttl")


@pytest.mark.parametrize(
    ("gone", "state", "why"),
    [(True, State.SUCCEEDED, "proved"), (False, State.ATTENTION, "end_unknown")],
)
def test_a_forgotten_task_is_decided_by_the_pairing(
    away: World, gone: bool, state: State, why: str
) -> None:
    following(away)
    away.appliance.tasks.clear()
    away.appliance.present = not gone
    lives_through(away, 10_000)
    outage = goes_away(away)
    lives_through(away, 10 * MINUTE)
    assert away.state() is State.FOLLOWING  # neither one 404 nor polls that fail prove anything
    outage.on = False
    lives_through(away, 35_000)
    assert (away.state(), code(away)) == (state, why)
    assert len(away.appliance.deletes) == 1


def test_a_task_that_is_listed_again_is_followed_on(away: World) -> None:
    following(away)
    kept = list(away.appliance.tasks)
    away.appliance.tasks.clear()
    lives_through(away, 10_000)
    away.appliance.tasks.extend(kept)
    lives_through(away, MINUTE)
    assert away.state() is State.FOLLOWING
