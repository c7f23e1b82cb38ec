"""When a pairing counts as gone: its id answers 404, and the list of pairings read after that does
not have it. Where that list is not whole, answers of 404 have to go on for long enough."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from bot.request.events import DeleteAnswered
from bot.request.model import State
from bot.request.problem import ProblemKind
from bot.slack.draw.message import draw
from tests.support.world import FIRST, POLL_MS, World, problem

PROVED_MS = 20_000
"""Twice VR_TIMEOUT_SECONDS."""

SHOWN_BY = "shown by its id alone, which was answered 404 for 20 seconds and more"


def goes(world: World) -> None:
    world.appliance.present = False


def approved(world: World) -> str:
    request_id = world.pending()
    world.click(request_id, "approve", FIRST)
    return request_id


def after_success(world: World) -> None:
    world.approved()
    world.appliance.end_task()


def after_the_task_was_forgotten(world: World) -> None:
    world.approved()
    world.appliance.tasks.clear()
    goes(world)
    world.poll(5)


def after_an_answer(kind: ProblemKind, world: World) -> None:
    world.appliance.meanwhile["delete"] = partial(goes, world)
    world.approved(DeleteAnswered(problem=problem(kind)))


def before_the_delete(world: World) -> None:
    approved(world)
    goes(world)
    world.settle()


WAYS: dict[str, tuple[Callable[[World], None], State]] = {
    "after SUCCESS": (after_success, State.SUCCEEDED),
    "task forgotten": (after_the_task_was_forgotten, State.SUCCEEDED),
    "answer lost": (partial(after_an_answer, ProblemKind.UNANSWERED), State.SUCCEEDED),
    "after a 404": (partial(after_an_answer, ProblemKind.NOT_FOUND), State.SUCCEEDED),
    "after a 500": (partial(after_an_answer, ProblemKind.SERVER_ERROR), State.SUCCEEDED),
    "before the DELETE": (before_the_delete, State.CHANGED),
}
EACH_WAY = pytest.mark.parametrize(("begin", "end"), WAYS.values(), ids=WAYS)


@EACH_WAY
def test_by_a_whole_list_at_once(world: World, begin: Callable[[World], None], end: State) -> None:
    begin(world)
    request = world.poll()
    assert request.state is end
    assert SHOWN_BY not in draw(request, "final").text


@EACH_WAY
def test_by_404s_that_go_on_where_the_list_is_not_whole(
    world: World, begin: Callable[[World], None], end: State
) -> None:
    world.appliance.list_whole = False
    begin(world)
    over_by = world.ms + PROVED_MS + 3 * POLL_MS
    while (request := world.get()).state.open and world.ms < over_by:
        world.poll()
    assert request.state is end
    assert request.gone_since is not None
    assert request.ended_at is not None
    assert PROVED_MS <= request.ended_at - request.gone_since < PROVED_MS + 2 * POLL_MS
    assert SHOWN_BY in draw(request, "final").text
    assert request.notices == ()


@EACH_WAY
def test_a_pairing_that_is_there_again_was_never_gone(
    world: World, begin: Callable[[World], None], end: State
) -> None:
    """A gateway's own 404s, while the service behind it started."""
    world.appliance.list_whole = False
    begin(world)
    assert world.poll().state.open
    world.appliance.present = True
    assert world.poll().state is not end
    goes(world)
    assert world.poll().state is not end, "the time begins anew"


def test_looking_again_needs_as_long(world: World) -> None:
    request_id = world.approved(DeleteAnswered(problem=problem(ProblemKind.NOT_UNDERSTOOD))).id
    assert world.poll(6).state is State.ATTENTION
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
    approved(world)
    world.appliance.contradicts = True
    request = world.poll(10)
    assert request.state is State.APPROVED
    assert request.waiting is not None
    assert world.appliance.deletes == []
    world.appliance.contradicts = False
    assert world.poll().state is State.FOLLOWING


def test_before_the_delete_the_time_begins_anew_when_it_was_there(world: World) -> None:
    """A gateway's 404, then a reading that works, and a DELETE that cannot be prepared for long."""
    approved(world)
    world.appliance.present, world.appliance.list_whole = False, False
    world.settle()
    world.appliance.present = True
    world.appliance.prepare_failures += [problem(ProblemKind.UNSENT)] * 6
    assert world.poll(6).state is State.APPROVED
    goes(world)
    assert world.poll().state is State.APPROVED
