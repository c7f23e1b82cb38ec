"""Every click leaves its own line in the audit trail, whatever became of it."""

from __future__ import annotations

from collections import Counter

import pytest

from bot.request.audit_chain import Record
from bot.request.model import State
from bot.request.who_may import Person
from bot.store import audit_trail as trail
from bot.store.audit_trail import verify_trail
from tests.support.world import ASKER, CHANNEL, FIRST, SECOND, TEAM, World

GUEST = "U0GUEST"


pytestmark = pytest.mark.policy(approvals_required=2)


@pytest.fixture(autouse=True)
def guest(world: World) -> None:
    world.people.persons[GUEST] = Person(id=GUEST, team=TEAM, guest=True)


def by(world: World, person: str) -> list[Record]:
    return [r for r in trail.export(world.db) if r.actor == person and r.action != "asked"]


def test_each_press_is_a_line_with_who_where_and_why(world: World) -> None:
    request_id = world.pending()
    card = f"{CHANNEL}/{world.get().card_ts}"
    for action, person, changes in (
        ("approve", ASKER, {}),
        ("deny", ASKER, {}),
        ("approve", GUEST, {}),
        ("approve", "U0NOBODY", {}),
        ("approve", FIRST, {"fingerprint": "other"}),
        ("cancel", FIRST, {}),
        ("look", FIRST, {}),
        ("approve", FIRST, {}),
        ("approve", FIRST, {}),  # before the first one is counted, and once more after
    ):
        world.press(action, person, **changes)
    world.click(request_id, "approve", FIRST)
    world.click(request_id, "approve", SECOND, message_ts="9.9")
    world.press("deny", SECOND)
    world.press("approve", SECOND)

    def lines(person: str) -> Counter[tuple[str, str | None]]:
        return Counter((r.action, r.detail.get("why")) for r in by(world, person))

    assert world.state() is State.DENIED
    assert lines(ASKER) == Counter(
        {("click_refused", "own_request_approve"): 1, ("click_refused", "own_request_deny"): 1}
    )
    assert lines(GUEST) == Counter({("click_refused", "guest"): 1})
    assert lines("U0NOBODY") == Counter({("click_refused", "not_listed"): 1})
    assert lines(FIRST) == Counter(
        {
            ("click_refused", "other_fingerprint"): 1,
            ("click_refused", "cancel_not_yours"): 1,
            ("click_refused", "nothing_to_look_at"): 1,
            ("approved_by", None): 1,
            ("click_refused", "already_counted"): 2,
        }
    )
    assert lines(SECOND) == Counter(
        {
            ("click_refused", "not_the_card"): 1,
            ("denied", None): 1,
            ("click_refused", "already_decided"): 1,
        }
    )
    everybody = [r for p in (ASKER, GUEST, "U0NOBODY", FIRST, SECOND) for r in by(world, p)]
    assert {r.message for r in everybody} == {card, f"{CHANNEL}/9.9"}
    assert verify_trail(world.db)[0] is None


def test_a_clock_that_is_set_back_brings_nothing_back(world: World) -> None:
    """A deadline that has passed stays passed, and the trail keeps the order of what happened."""
    world.pending()
    world.press("approve", FIRST)
    world.wait(3_600_000)
    assert world.state() is State.EXPIRED
    world.ms -= 7_200_000
    world.press("approve", SECOND)
    assert world.state() is State.EXPIRED
    assert world.appliance.deletes == []
    broken, head = verify_trail(world.db)
    assert broken is None
    *_, expired, late = trail.export(world.db)
    assert (expired.action, late.action, late.detail["why"]) == (
        "expired",
        "click_refused",
        "already_decided",
    )
    assert (late.number, late.at < expired.at) == (head.count, True)
