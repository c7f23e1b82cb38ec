"""An unclear end stays in sight until somebody says, with words, that it is settled."""

from __future__ import annotations

import pytest

from bot.operate.json_and_csv import as_json
from bot.request.events import DeleteAnswered
from bot.request.messages import messages
from bot.request.model import State
from bot.request.problem import ProblemKind
from bot.request.who_may import Person
from bot.store.queries import Overview
from tests.support.world import ASKER, FIRST, SECOND, TEAM, World, problem

LOST = DeleteAnswered(problem=problem(ProblemKind.UNANSWERED))
COLLEAGUE = "U0COLLEAGUE"


def unclear(world: World) -> str:
    """The answer to the DELETE was lost, and the pairing stays."""
    request_id = world.pending()
    world.appliance.delete_outcomes = [LOST]
    world.click(request_id, "approve", FIRST)
    world.settle()
    for _ in range(6):
        world.wait(6_000)
    assert world.state() is State.ATTENTION
    return request_id


def settle(world: World, request_id: str, by: str = COLLEAGUE, **more: object) -> None:
    words = {"reason": "broken by hand, CHG0031337", "message_ts": "9.000"}
    world.click(request_id, "settle", by, **{**words, **more})
    world.settle()


def codes(world: World) -> list[str]:
    return [notice.code for notice in world.get().notices]


def test_it_stays_attention_and_is_named_no_longer(world: World) -> None:
    request_id = unclear(world)
    overview = Overview(world.db)
    assert [r.id for r in overview.unresolved()] == [request_id]
    settle(world, request_id)
    request = world.get()
    assert request.state is State.ATTENTION
    found = as_json(request)
    assert found["settled_by"] == COLLEAGUE
    assert found["settled_at"] is not None
    assert found["settled_words"] == "broken by hand, CHG0031337"
    assert overview.unresolved() == []
    assert request.snapshot is not None
    assert overview.unclear(request.snapshot) is None
    assert (COLLEAGUE, "settled") in world.answers
    assert "settled" in world.actions()
    number = codes(world).index("settled") + 1
    assert f"notice:{number}" in {m.slot for m in messages(request, world.ms)}
    assert (request_id, f"notice:{number}", "post") in world.posted


def test_a_later_card_names_it_until_then(world: World) -> None:
    first = unclear(world)
    world.ask("CCCC-DDDD")
    world.settle()
    assert world.get("CCCC-DDDD").earlier_attention == first
    world.click("CCCC-DDDD", "cancel", ASKER)
    settle(world, first)
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
def test_who_settles_nothing(world: World, changes: dict[str, object], code: str) -> None:
    request_id = unclear(world)
    plain = {"id": COLLEAGUE, "team": TEAM}
    world.people.persons[COLLEAGUE] = Person.model_validate({**plain, **changes})
    settle(world, request_id)
    assert (COLLEAGUE, code) in world.answers
    assert world.get().settled is None


def test_without_words_nothing_is_settled(world: World) -> None:
    request_id = unclear(world)
    settle(world, request_id, reason=None)
    assert (COLLEAGUE, "settled_without_words") in world.answers
    settle(world, request_id, ours=False)
    assert (COLLEAGUE, "other_fingerprint") in world.answers
    settle(world, request_id, fingerprint="0" * 16)
    assert world.get().settled is None


def test_once(world: World) -> None:
    request_id = unclear(world)
    world.click(request_id, "settle", COLLEAGUE, reason="one")
    world.click(request_id, "settle", SECOND, reason="two")
    world.settle()
    settled = world.get().settled
    assert settled is not None
    assert (settled.by, settled.reason) == (COLLEAGUE, "one")
    assert (SECOND, "nothing_to_settle") in world.answers
    assert codes(world).count("settled") == 1


def test_what_is_not_unclear(world: World) -> None:
    request_id = world.pending()
    settle(world, request_id)
    assert (COLLEAGUE, "nothing_to_settle") in world.answers
    assert world.get().settled is None


def test_a_look_and_words_at_once(world: World) -> None:
    request_id = unclear(world)
    world.click(request_id, "look", FIRST)
    world.click(request_id, "settle", COLLEAGUE, reason="found it")
    world.click(request_id, "look", SECOND)
    world.settle()
    assert world.get().settled is not None
    assert {who for who, code in world.answers if code == "look_still_there"} == {FIRST, SECOND}


def test_a_correction_needs_no_words(world: World) -> None:
    request_id = unclear(world)
    world.appliance.present = False
    world.click(request_id, "look", FIRST)
    world.settle()
    assert world.state() is State.SUCCEEDED
    settle(world, request_id)
    assert (COLLEAGUE, "nothing_to_settle") in world.answers
