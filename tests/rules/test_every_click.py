"""Every click leaves its own line in the audit trail and gets an answer, whatever became of it."""

from __future__ import annotations

from collections import Counter

import pytest

from bot.request.absorb import absorb
from bot.request.audit_chain import Record
from bot.request.events import CardRefused, RightsRead, Stored
from bot.request.messages import messages
from bot.request.model import Request, State
from bot.request.who_may import Person
from bot.store import audit_trail as trail
from bot.store.audit_trail import verify_trail
from tests.rules.samples import YES, clicked, happens, pending
from tests.support.world import ASKER, CHANNEL, FIRST, SECOND, TEAM, World, one_pool

GUEST = "U0GUEST"


def by(world: World, person: str) -> list[Record]:
    return [r for r in trail.export(world.db) if r.actor == person and r.action != "asked"]


@pytest.mark.policy(approvals_required=2)
def test_each_press_is_a_line_with_who_where_and_why(world: World) -> None:
    world.people.persons[GUEST] = Person(id=GUEST, team=TEAM, guest=True)
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
            ("click_refused", "already_counted"): 1,
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


def test_whoever_presses_all_day_is_answered_and_fills_no_trail(world: World) -> None:
    request_id = world.pending()
    for _ in range(99):
        world.click(request_id, "cancel", FIRST)
    world.press("cancel", SECOND)
    for _ in range(20):
        world.press("approve", ASKER)
    assert len(world.answers) == 120

    def times(person: str) -> list[object]:
        return [r.detail.get("times") for r in by(world, person)]

    assert (times(FIRST), times(SECOND), times(ASKER)) == ([None, 10], [None], [None, 10])


@pytest.mark.policy(approvals_required=2)
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


# ---- one that comes late, finds a lost card, or is answered later --------------------------------


def approval(request: Request) -> Request:
    return happens(request, clicked(request, "approve", "U0A"), number=2, at=2)


READ = RightsRead(verdicts={"U0A": YES}, dry_run=False, pools=one_pool(1))


@pytest.mark.parametrize(
    ("action", "matters"), [("approve", False), ("deny", True), ("break_glass", True)]
)
def test_who_comes_too_late_with_a_form_is_told_whatever_became_of_its_address(
    action: str, matters: bool
) -> None:
    """A form may be sent hours after it was opened, and the address to answer to is of then."""
    request = happens(approval(pending()), READ, at=2)
    assert request.state is State.APPROVED
    late = clicked(request, action, "U0B", reason="the sync is still running")
    (answer,) = absorb(request, Stored(number=3, at=3, event=late), 3).answers
    assert (answer.code, answer.matters) == ("already_decided", matters)


def test_a_card_whose_post_was_refused_and_stands_all_the_same_is_taken_for_it() -> None:
    """Slack took the first post and its answer was lost; the next was refused. Whoever presses a
    button of it hears how it ended, and the card says so from then on."""
    refused = pending(CardRefused(error="is_archived"))
    assert (refused.state, refused.card_ts) == (State.REFUSED, None)
    pressed = approval(refused)
    assert (pressed.state, pressed.card_ts, pressed.strays) == (State.REFUSED, "1.0", ())
    assert [m.slot for m in messages(pressed, 2)] == ["card"]


def test_the_answer_to_an_approval_tells_whose_it_is() -> None:
    """By the time it is drawn, rights may have been read again and that approval be gone."""
    (answer,) = absorb(approval(pending()), Stored(at=3, event=READ), 3).answers
    assert (answer.code, answer.params) == ("approval_counted", {"by": "U0A"})
