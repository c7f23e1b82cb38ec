"""A request of the same pairing that only a newer version can read: it is named all the same."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from bot.core.events import DeleteAnswered
from bot.core.problem import ProblemKind
from bot.core.request import State
from tests.worker.world import FIRST, World, problem

OLD, NEW = "AAAA-BBBB", "CCCC-DDDD"


def unclear(world: World, request_id: str) -> None:
    """It ends in `attention`, with the pairing there."""
    lost = problem(ProblemKind.UNANSWERED)
    world.appliance.delete_outcomes = [DeleteAnswered(problem=lost)]
    world.ask(request_id)
    world.settle()
    world.click(request_id, "approve", FIRST)
    world.settle()
    for _ in range(6):
        world.wait(5_000)
    assert world.state(request_id) is State.ATTENTION


def of_a_newer_version(world: World, request_id: str, state: State) -> None:
    with world.db.write() as conn:
        newer = "UPDATE requests SET state = :state, body = :begins || substr(body, 2)"
        values = {"state": state.value, "begins": '{"new":1,', "id": request_id}
        conn.execute(text(f"{newer} WHERE id = :id"), values)


def test_the_card_names_the_unclear_one(world: World) -> None:
    unclear(world, OLD)
    of_a_newer_version(world, OLD, State.ATTENTION)
    world.ask(NEW)
    world.settle()
    new = world.get(NEW)
    assert (new.state, new.earlier_attention) == (State.PENDING, OLD)


def test_an_open_one_holds_the_pairing(world: World) -> None:
    world.pending()
    of_a_newer_version(world, OLD, State.PENDING)
    world.ask(NEW)
    world.settle()
    outcome = world.get(NEW).outcome
    assert outcome is not None
    assert (outcome.code, outcome.lines) == ("pairing_taken", (OLD,))


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.DELETING])
def test_a_look_only_reports_where_a_later_one_may_have_been_sent(
    world: World, state: State
) -> None:
    unclear(world, OLD)
    world.ask(NEW)
    world.settle()
    of_a_newer_version(world, NEW, state)
    world.appliance.present = False
    world.click(OLD, "look", FIRST)
    world.settle()
    assert world.state(OLD) is State.ATTENTION
    assert world.answers[-1] == (FIRST, "look_gone")
