"""An unclear end is settled by a person with words, or corrected by a look at the appliance."""

from __future__ import annotations

import pytest

from bot.operate.json_and_csv import as_json
from bot.request.clicks import LOOK_PAUSE_MS
from bot.request.events import DeleteAnswered
from bot.request.messages import messages
from bot.request.model import State
from bot.request.problem import ProblemKind
from bot.request.who_may import Person
from bot.slack.draw.message import draw
from tests.support.world import ASKER, FIRST, SECOND, TEAM, World, problem

COLLEAGUE = "U0COLLEAGUE"


@pytest.fixture
def unclear(world: World) -> str:
    """The answer to the DELETE was lost, and the pairing stays."""
    request_id = world.approved(DeleteAnswered(problem=problem(ProblemKind.UNANSWERED))).id
    assert world.poll(6).state is State.ATTENTION
    return request_id


def settle(world: World, request_id: str, by: str = SECOND, **more: object) -> None:
    words = {"reason": "broken by hand, CHG0031337", "message_ts": "9.000"}
    world.click(request_id, "settle", by, **{**words, **more})
    world.settle()


def test_it_stays_attention_and_is_named_no_longer(world: World, unclear: str) -> None:
    assert [r.id for r in world.overview.unresolved()] == [unclear]
    settle(world, unclear)
    request = world.get()
    assert request.state is State.ATTENTION
    found = as_json(request)
    assert found["settled_by"] == SECOND
    assert found["settled_at"] is not None
    assert found["settled_words"] == "broken by hand, CHG0031337"
    assert world.overview.unresolved() == []
    assert (SECOND, "settled") in world.answers
    assert "settled" in world.actions()
    slot = f"notice:{world.notices().index('settled') + 1}"
    assert slot in {m.slot for m in messages(request, world.ms)}
    assert (unclear, slot, "post") in world.posted


def test_a_later_card_names_it_and_then_who_settled_it_in_which_words(
    world: World, unclear: str
) -> None:
    world.ask("CCCC-DDDD")
    world.settle()
    later = world.get("CCCC-DDDD")
    assert (later.earlier_attention, later.earlier_settled) == (unclear, None)
    world.click("CCCC-DDDD", "cancel", ASKER)
    settle(world, unclear, reason="gone <!channel> `by hand`")
    world.ask("EEEE-FFFF")
    world.settle()
    later = world.get("EEEE-FFFF")
    assert (later.earlier_attention, later.earlier_settled) == (unclear, world.get().settled)
    card = draw(later, "card").text
    assert f"<@{SECOND}> settled it" in card
    assert "gone &lt;!channel&gt; `by hand`" in card


NOBODYS = [
    ({"guest": True}, "guest"),
    ({"deleted": True}, "deactivated"),
    ({"team": "T0OTHER"}, "other_workspace"),
]


@pytest.mark.parametrize(("changes", "reason"), NOBODYS)
def test_who_settles_nothing_and_does_not_look(
    world: World, unclear: str, changes: dict[str, object], reason: str
) -> None:
    world.people.persons[SECOND] = Person(id=SECOND, team=TEAM).model_copy(update=changes)
    listings = world.appliance.listings
    settle(world, unclear)
    world.press("look", SECOND)
    assert world.answers[-2:] == [(SECOND, f"no_settle_{reason}"), (SECOND, f"no_look_{reason}")]
    assert world.get().settled is None
    assert world.appliance.listings == listings, "it costs the appliance nothing"


@pytest.mark.parametrize(
    ("by", "code"), [(COLLEAGUE, "no_settle_not_listed"), (ASKER, "own_request_settle")]
)
def test_only_approvers_settle_and_never_whoever_asked(
    world: World, unclear: str, by: str, code: str
) -> None:
    """Whoever asked is of APPROVERS here."""
    settle(world, unclear, by)
    assert world.answers[-1] == (by, code)
    assert world.get().settled is None


def test_nor_by_a_second_account(world: World, unclear: str) -> None:
    world.policy = world.policy.model_copy(update={"same_person": ((ASKER, SECOND),)})
    world.worker = world.new_worker()
    settle(world, unclear, SECOND)
    assert world.answers[-1] == (SECOND, "no_settle_own_request")
    assert world.get().settled is None


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        ({"requesters": frozenset({ASKER})}, "no_look_not_listed"),
        ({"channels": frozenset({"C0OTHER"})}, "no_look_channel"),
    ],
)
def test_whoever_could_not_ask_there_does_not_look(
    world: World, unclear: str, policy: dict[str, object], code: str
) -> None:
    world.policy = world.policy.model_copy(update=policy)
    world.worker = world.new_worker()
    listings = world.appliance.listings
    world.press("look", FIRST)
    assert world.answers[-1] == (FIRST, code)
    assert world.appliance.listings == listings


def test_looks_have_a_pace_whoever_presses(world: World, unclear: str) -> None:
    listings = world.appliance.listings
    for by in (FIRST, SECOND, COLLEAGUE):
        world.press("look", by)
    codes = [code for _, code in world.answers[-3:]]
    assert codes == ["look_still_there", "look_too_soon", "look_too_soon"]
    assert world.appliance.listings == listings + 1
    world.wait(LOOK_PAUSE_MS)
    world.press("look", SECOND)
    assert world.answers[-1] == (SECOND, "look_still_there")


def test_without_words_nothing_is_settled(world: World, unclear: str) -> None:
    settle(world, unclear, reason=None)
    assert (SECOND, "settled_without_words") in world.answers
    settle(world, unclear, ours=False)
    assert (SECOND, "other_fingerprint") in world.answers
    settle(world, unclear, fingerprint="0" * 16)
    assert world.get().settled is None


def test_once(world: World, unclear: str) -> None:
    world.click(unclear, "settle", FIRST, reason="one")
    world.click(unclear, "settle", SECOND, reason="two")
    world.click(unclear, "look", SECOND)
    world.settle()
    settled = world.get().settled
    assert settled is not None
    assert (settled.by, settled.reason) == (FIRST, "one")
    assert world.answers[-3:-1] == [(SECOND, "nothing_to_settle"), (SECOND, "nothing_to_look_at")]
    assert world.notices().count("settled") == 1


def test_a_look_and_words_at_once(world: World, unclear: str) -> None:
    world.click(unclear, "look", FIRST)
    world.click(unclear, "settle", SECOND, reason="found it")
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
    assert (SECOND, "nothing_to_settle") in world.answers
