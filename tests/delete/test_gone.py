"""When a pairing counts as gone: its id answers 404, and the list of pairings read after that does
not have it. Where that list is not whole, answers of 404 have to go on for long enough."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.request.events import DeleteAnswered
from bot.request.model import Request, State
from bot.request.problem import ProblemKind
from bot.request.who_may import Person
from bot.slack.draw.message import draw
from tests.support.world import FIRST, TEAM, World, problem

POLL_MS = 5_000
PROVED_MS = 20_000
"""Twice VR_TIMEOUT_SECONDS."""

SHOWN_BY = "shown by its id alone, which was answered 404 for 20 seconds and more"


def approved(world: World) -> str:
    request_id = world.pending()
    world.click(request_id, "approve", FIRST)
    return request_id


def after_success(world: World) -> str:
    request_id = approved(world)
    world.settle()
    world.appliance.end_task()
    return request_id


def after_the_task_was_forgotten(world: World) -> str:
    request_id = approved(world)
    world.settle()
    world.appliance.tasks.clear()
    world.appliance.present = False
    for _ in range(5):
        world.wait(POLL_MS)
    return request_id


def after_an_answer(kind: ProblemKind) -> Callable[[World], str]:
    def answered(world: World) -> str:
        world.appliance.delete_outcomes.append(DeleteAnswered(problem=problem(kind)))
        delete = world.appliance.delete

        def gone_meanwhile(*args: object, **named: object) -> object:
            world.appliance.present = False
            return delete(*args, **named)  # type: ignore[arg-type]

        world.appliance.delete = gone_meanwhile  # type: ignore[method-assign, assignment]
        request_id = approved(world)
        world.settle()
        return request_id

    return answered


def before_the_delete(world: World) -> str:
    request_id = approved(world)
    world.appliance.present = False
    world.settle()
    return request_id


WAYS: dict[str, tuple[Callable[[World], str], State]] = {
    "after SUCCESS": (after_success, State.SUCCEEDED),
    "task forgotten": (after_the_task_was_forgotten, State.SUCCEEDED),
    "answer lost": (after_an_answer(ProblemKind.UNANSWERED), State.SUCCEEDED),
    "after a 404": (after_an_answer(ProblemKind.NOT_FOUND), State.SUCCEEDED),
    "after a 500": (after_an_answer(ProblemKind.SERVER_ERROR), State.SUCCEEDED),
    "before the DELETE": (before_the_delete, State.CHANGED),
}


def final(request: Request) -> str:
    return draw(request, "final").text


@pytest.mark.parametrize("way", WAYS)
def test_by_a_whole_list_at_once(world: World, way: str) -> None:
    begin, end = WAYS[way]
    request_id = begin(world)
    world.wait(POLL_MS)
    request = world.get(request_id)
    assert request.state is end
    assert SHOWN_BY not in final(request)


@pytest.mark.parametrize("way", WAYS)
def test_by_404s_that_go_on_where_the_list_is_not_whole(world: World, way: str) -> None:
    begin, end = WAYS[way]
    world.appliance.list_whole = False
    request_id = begin(world)
    over_by = world.ms + PROVED_MS + 3 * POLL_MS
    while world.get(request_id).state.open and world.ms < over_by:
        world.wait(POLL_MS)
        request = world.get(request_id)
        if request.gone_since is not None and request.state.open:
            assert world.ms - request.gone_since < PROVED_MS
    request = world.get(request_id)
    assert request.state is end
    assert request.gone_since is not None
    assert world.ms - request.gone_since >= PROVED_MS
    assert SHOWN_BY in final(request)
    assert [n.code for n in request.notices] == []


@pytest.mark.parametrize("way", WAYS)
def test_a_pairing_that_is_there_again_was_never_gone(world: World, way: str) -> None:
    """A gateway's own 404s, while the service behind it started."""
    begin, end = WAYS[way]
    world.appliance.list_whole = False
    request_id = begin(world)
    world.wait(POLL_MS)
    assert world.get(request_id).state.open
    world.appliance.present = True
    world.wait(POLL_MS)
    assert world.get(request_id).state is not end
    world.appliance.present = False
    world.wait(POLL_MS)
    assert world.get(request_id).state is not end, "the time begins anew"


def test_looking_again_needs_as_long(world: World) -> None:
    world.appliance.delete_outcomes.append(
        DeleteAnswered(problem=problem(ProblemKind.NOT_UNDERSTOOD, status=502))
    )
    request_id = approved(world)
    for _ in range(6):
        world.wait(POLL_MS)
    assert world.state(request_id) is State.ATTENTION
    world.appliance.present, world.appliance.list_whole = False, False
    answers = []
    for _ in range(2):
        world.click(request_id, "look", FIRST)
        world.settle()
        answers.append((world.answers[-1][1], world.state(request_id)))
        world.ms += PROVED_MS
    assert answers == [("look_unlisted", State.ATTENTION), ("look_gone", State.SUCCEEDED)]
    assert SHOWN_BY in draw(world.get(request_id), "correction").text


def test_a_pairing_that_is_listed_but_answers_404_waits_with_a_reason(world: World) -> None:
    """Before the DELETE: nothing is sent, and it does not end as if the pairing were gone."""
    request_id = approved(world)
    world.appliance.contradicts = True
    for _ in range(10):
        world.wait(POLL_MS)
    request = world.get(request_id)
    assert request.state is State.APPROVED
    assert request.waiting is not None
    assert "its list of pairings still has it" in request.waiting.text
    assert world.appliance.deletes == []
    world.appliance.contradicts = False
    world.wait(POLL_MS)
    assert world.state(request_id) is State.FOLLOWING


def test_before_the_delete_the_time_begins_anew_when_it_was_there(world: World) -> None:
    """A gateway's 404, then a reading that works, and a DELETE that cannot be prepared for long."""
    request_id = approved(world)
    world.appliance.present, world.appliance.list_whole = False, False
    world.settle()
    world.appliance.present = True
    world.appliance.prepare_failures += [problem(ProblemKind.UNSENT)] * 6
    for _ in range(6):
        world.wait(POLL_MS)
    assert world.state(request_id) is State.APPROVED
    world.appliance.present = False
    world.wait(POLL_MS)
    assert world.state(request_id) is State.APPROVED


def test_nor_does_an_old_404_outlast_a_decision(world: World) -> None:
    request_id = approved(world)
    world.appliance.present, world.appliance.list_whole = False, False
    world.settle()
    assert world.get(request_id).gone_since is not None
    world.people.persons[FIRST] = Person(id=FIRST, team=TEAM, deleted=True)
    world.wait(POLL_MS)
    assert world.state(request_id) is State.PENDING
    world.people.persons.clear()
    world.ms += 60_000
    world.click(request_id, "approve", FIRST)
    world.settle()
    assert world.state(request_id) is State.APPROVED
