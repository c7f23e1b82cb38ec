"""An unclear end is settled by a person with words, or corrected by a look at the appliance."""

from __future__ import annotations

import pytest

from bot.operate.json_and_csv import as_json
from bot.request.events import DeleteAnswered
from bot.request.messages import messages
from bot.request.model import State
from bot.request.problem import ProblemKind
from bot.request.who_may import Person
from tests.support.world import ASKER, FIRST, SECOND, TEAM, World, problem

COLLEAGUE = "U0COLLEAGUE"


@pytest.fixture
def unclear(world: World) -> str:
    """The answer to the DELETE was lost, and the pairing stays."""
    request_id = world.approved(DeleteAnswered(problem=problem(ProblemKind.UNANSWERED))).id
    assert world.poll(6).state is State.ATTENTION
    return request_id


def settle(world: World, request_id: str, by: str = COLLEAGUE, **more: object) -> None:
    words = {"reason": "broken by hand, CHG0031337", "message_ts": "9.000"}
    world.click(request_id, "settle", by, **{**words, **more})
    world.settle()


def test_it_stays_attention_and_is_named_no_longer(world: World, unclear: str) -> None:
    assert [r.id for r in world.overview.unresolved()] == [unclear]
    settle(world, unclear)
    request = world.get()
    assert request.state is State.ATTENTION
    found = as_json(request)
    assert found["settled_by"] == COLLEAGUE
    assert found["settled_at"] is not None
    assert found["settled_words"] == "broken by hand, CHG0031337"
    assert world.overview.unresolved() == []
    assert request.snapshot is not None
    assert world.overview.unclear(request.snapshot) is None
    assert (COLLEAGUE, "settled") in world.answers
    assert "settled" in world.actions()
    slot = f"notice:{world.notices().index('settled') + 1}"
    assert slot in {m.slot for m in messages(request, world.ms)}
    assert (unclear, slot, "post") in world.posted


def test_a_later_card_names_it_until_then(world: World, unclear: str) -> None:
    world.ask("CCCC-DDDD")
    world.settle()
    assert world.get("CCCC-DDDD").earlier_attention == unclear
    world.click("CCCC-DDDD", "cancel", ASKER)
    settle(world, unclear)
    world.ask("EEEE-FFFF")
    world.settle()
    assert world.get("EEEE-FFFF").earlier_attention is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"guest": True}, "no_right_guest"),
        ({"deleted": True}, "no_right_deactivated"),
        ({"team": "T0OTHER"}, "no_right_other_workspace"),
    ],
)
def test_who_settles_nothing(
    world: World, unclear: str, changes: dict[str, object], code: str
) -> None:
    world.people.persons[COLLEAGUE] = Person(id=COLLEAGUE, team=TEAM).model_copy(update=changes)
    settle(world, unclear)
    assert (COLLEAGUE, code) in world.answers
    assert world.get().settled is None


def test_without_words_nothing_is_settled(world: World, unclear: str) -> None:
    settle(world, unclear, reason=None)
    assert (COLLEAGUE, "settled_without_words") in world.answers
    settle(world, unclear, ours=False)
    assert (COLLEAGUE, "other_fingerprint") in world.answers
    settle(world, unclear, fingerprint="0" * 16)
    assert world.get().settled is None


def test_once(world: World, unclear: str) -> None:
    world.click(unclear, "settle", COLLEAGUE, reason="one")
    world.click(unclear, "settle", SECOND, reason="two")
    world.settle()
    settled = world.get().settled
    assert settled is not None
    assert (settled.by, settled.reason) == (COLLEAGUE, "one")
    assert (SECOND, "nothing_to_settle") in world.answers
    assert world.notices().count("settled") == 1


def test_a_look_and_words_at_once(world: World, unclear: str) -> None:
    world.click(unclear, "look", FIRST)
    world.click(unclear, "settle", COLLEAGUE, reason="found it")
    world.click(unclear, "look", SECOND)
    world.settle()
    assert world.get().settled is not None
    assert {who for who, code in world.answers if code == "look_still_there"} == {FIRST, SECOND}


def test_a_correction_needs_no_words(world: World, unclear: str) -> None:
    world.appliance.present = False
    world.click(unclear, "look", FIRST)
    world.settle()
    assert world.state() is State.SUCCEEDED
    settle(world, unclear)
    assert (COLLEAGUE, "nothing_to_settle") in world.answers
