"""One person of BREAK_GLASS decides alone: through the real worker and store. What a click of any
kind is refused for is in `test_approvals.py`."""

from __future__ import annotations

import pytest

from bot.request.audit_chain import Record
from bot.request.messages import Answer
from bot.request.model import State
from bot.request.problem import ProblemKind
from bot.request.who_may import GROUP_UNREADABLE, Person, Reason, Verdict
from bot.slack.draw.message import draw_answer
from bot.store import audit_trail as trail
from bot.store.queues import Queue
from bot.store.saving import BEHIND_THE_DELETE_MS
from bot.store.schema import requests
from bot.store.slack_pauses import Pauses
from tests.support.world import ASKER, CHANNEL, FIRST, SECOND, START_MS, TEAM, World, problem

CHIEF, STRANGER, THIRD = "U0CHIEF", "U0STRANGER", "U0THIRD"
GROUP = "S0APPROVERS"
WHY = "Prague is on fire"
POLICY = {
    "approvers": frozenset({FIRST, SECOND, GROUP}),
    "approvals_required": 2,
    "force_approvals_required": 3,
    "break_glass": frozenset({CHIEF, ASKER}),
}
pytestmark = pytest.mark.policy(**POLICY)


@pytest.fixture(autouse=True)
def members(world: World) -> None:
    world.people.groups[GROUP] = frozenset({THIRD})


def break_glass(world: World, by: str = CHIEF, **changes: object) -> None:
    world.press("break_glass", by, **{"reason": WHY, **changes})
    world.wait(BEHIND_THE_DELETE_MS)


def the_entry(world: World, action: str) -> Record:
    (found,) = [record for record in trail.export(world.db) if record.action == action]
    return found


def posts(world: World, kind: str) -> list[str]:
    return [slot for _, slot, how in world.posted if how == "post" and slot.startswith(kind)]


@pytest.mark.parametrize("by", [CHIEF, ASKER], ids=["somebody", "who asked"])
@pytest.mark.parametrize("force", [False, True])
def test_one_person_alone_is_enough_the_own_request_included(
    world: World, by: str, force: bool
) -> None:
    world.pending(force=force)
    break_glass(world, by)
    request = world.get()
    assert request.state is State.FOLLOWING
    assert world.appliance.deletes == [(request.pairing_id, force)]
    assert request.approvals == ()
    assert request.glass is not None
    assert (request.glass.by, request.glass.reason) == (by, WHY)
    assert request.deciders == (by,)
    assert (by, "glass_broken") in world.answers
    assert posts(world, "alarm") == ["alarm:1"]
    (notice,) = request.notices
    assert notice.called == (FIRST, SECOND, GROUP)

    entry = the_entry(world, "glass_broken")
    assert (entry.actor, entry.before, entry.after) == (by, "pending", "approved")
    assert entry.detail["reason"] == WHY
    assert entry.detail["own_request"] is (by == ASKER)
    assert entry.message == f"{CHANNEL}/{request.card_ts}"
    assert "approved" not in world.actions()
    intent = the_entry(world, "intent")
    assert (intent.detail["people"], intent.detail["break_glass"]) == ([by], True)


def test_a_second_decision_changes_nothing_whichever_way_it_comes(world: World) -> None:
    request_id = world.pending()
    for origin in ("one", "one", "two"):
        world.click(request_id, "break_glass", CHIEF, origin=origin, reason=WHY)
    world.press("approve", FIRST)
    break_glass(world, ASKER)
    assert len(world.appliance.deletes) == 1
    assert world.actions().count("glass_broken") == 1
    codes = [code for _, code in world.answers]
    assert sorted(codes) == [*["already_decided"] * 3, "glass_broken"]


def test_every_approver_is_told_once_through_groups_too(world: World) -> None:
    """However quiet the channel is. Not whoever broke it, and not those who may only break it."""
    world.people.groups[GROUP] = frozenset({THIRD, FIRST, CHIEF})
    world.pending()
    break_glass(world)
    assert posts(world, "told") == [f"told:{who}:1" for who in (FIRST, SECOND, THIRD)]
    notice = world.get().notices[0]
    assert (notice.who, notice.unread) == ((CHIEF,), ())
    world.appliance.end_task()
    for _ in range(3):
        world.wait(10_000)
    assert world.state() is State.SUCCEEDED
    assert len(posts(world, "told")) == 3


def test_whoever_is_told_is_told_although_the_process_dies_and_slack_says_wait(
    world: World,
) -> None:
    """They are in the outbox, in the transaction that stores the decision."""
    request_id = world.pending()
    world.click(request_id, "break_glass", CHIEF, reason=WHY)
    while world.get().state is State.PENDING:
        assert world.worker.step(Queue.DECIDE)
    world.worker = world.new_worker()
    # A 429 to posts holds these back as all others.
    Pauses(world.db).hold("chat.postMessage", 30)
    while (due := world.outbox.claim()) is not None:
        assert due.ts is not None or due.answer is not None
        world.outbox.sent(due, ts=due.ts, digest="x")
    world.wait(30_000)
    assert posts(world, "told") == [f"told:{who}:1" for who in (FIRST, SECOND, THIRD)]


def test_a_group_that_cannot_be_read_holds_up_nothing_and_is_named(world: World) -> None:
    world.pending()
    world.people.groups[GROUP] = GROUP_UNREADABLE
    break_glass(world)
    assert len(world.appliance.deletes) == 1
    assert posts(world, "told") == [f"told:{who}:1" for who in (FIRST, SECOND)]
    assert world.get().notices[0].unread == (GROUP,)
    assert the_entry(world, "glass_broken").detail["unread_groups"] == [GROUP]
    answer = Answer(event=1, code="glass_broken", params={"by": CHIEF})
    words = draw_answer(answer, world.get()).text
    assert f"<!subteam^{GROUP}>" in words
    assert "all approvers are told" not in words


@pytest.mark.parametrize("by", [STRANGER, FIRST], ids=["a stranger", "an approver"])
def test_whoever_is_not_of_break_glass_decides_nothing_alone(world: World, by: str) -> None:
    world.pending()
    world.people.groups_asked.clear()
    break_glass(world, by)
    request = world.get()
    assert request.state is State.PENDING
    assert (request.glass, request.approvals) == (None, ())
    assert world.answers == [(by, "no_glass_not_listed")]
    entry = the_entry(world, "click_refused")
    assert (entry.actor, entry.detail) == (by, {"click": "break_glass", "why": "not_listed"})
    assert world.people.groups_asked == [], "nobody is to be told"


def test_to_break_the_glass_is_no_right_to_approve(world: World) -> None:
    world.pending()
    world.press("approve", CHIEF)
    world.press("deny", CHIEF)
    assert world.state() is State.PENDING
    assert world.answers == [(CHIEF, "no_right_not_listed")] * 2


@pytest.mark.policy(**{**POLICY, "break_glass": frozenset({"S0CHIEFS"})})
def test_a_group_that_cannot_be_read_is_a_no_with_when_to_try_again(world: World) -> None:
    world.pending()
    world.people.groups["S0CHIEFS"] = Verdict(reason=Reason.GROUP_UNREADABLE, retry_at=START_MS + 9)
    break_glass(world)
    assert world.state() is State.PENDING
    assert world.answers == [(CHIEF, "no_glass_group_unreadable")]
    assert world.params == [{"retry_at": str(START_MS + 9)}]
    world.people.groups["S0CHIEFS"] = frozenset({CHIEF})
    break_glass(world)
    assert len(world.appliance.deletes) == 1


def test_without_a_reason_nothing_is_broken(world: World) -> None:
    world.pending()
    break_glass(world, reason=None)
    break_glass(world, reason="")
    assert world.state() is State.PENDING
    assert world.answers == [(CHIEF, "glass_without_reason")] * 2


def test_lost_before_the_intent_brings_it_back_with_the_old_deadline(world: World) -> None:
    world.pending()
    deadline = world.get().decide_by
    world.appliance.read_failures = [problem(ProblemKind.UNANSWERED)]  # so that it is not sent yet
    break_glass(world)
    assert world.state() is State.APPROVED
    world.people.persons[CHIEF] = Person(id=CHIEF, team=TEAM, deleted=True)
    world.wait(11_000)
    request = world.get()
    assert request.state is State.PENDING
    assert (request.glass, request.decide_by, request.execute_by) == (None, deadline, None)
    assert request.glass_lost is not None
    assert request.glass_lost.by == CHIEF
    assert [n.code for n in request.notices][-1] == "glass_lost"
    assert the_entry(world, "glass_lost").detail["people"] == {CHIEF: "deactivated"}
    assert world.appliance.deletes == []
    # The door stays open for others, and each time the channel is told.
    break_glass(world, ASKER)
    assert world.state() is State.FOLLOWING
    assert posts(world, "alarm") == ["alarm:1", "alarm:3"]


class TestThePolicyOfTheRequest:
    def test_a_card_without_the_button_has_no_glass(self, world: World) -> None:
        """Switched on since: the card said that other people decide."""
        request_id = world.pending()
        terms = world.get().terms.model_copy(update={"break_glass": False})
        old = world.get().model_copy(update={"terms": terms})
        with world.db.write() as conn:
            conn.execute(
                requests.update()
                .where(requests.c.id == request_id)
                .values(body=old.model_dump_json())
            )
        break_glass(world)
        assert world.state() is State.PENDING
        assert world.answers == [(CHIEF, "no_glass_here")]

    def test_switched_off_since_counts_at_once(self, world: World) -> None:
        world.pending()
        world.policy = world.policy.model_copy(update={"break_glass": frozenset()})
        world.worker = world.new_worker()
        break_glass(world)
        assert world.state() is State.PENDING
        assert world.answers == [(CHIEF, "no_glass_here")]
        assert world.get().terms.break_glass is False


@pytest.mark.policy(**{**POLICY, "approvers": frozenset({FIRST})})
class TestTooFewApprovers:
    def test_somebody_of_break_glass_makes_a_card(self, world: World) -> None:
        world.pending()
        assert world.get().glass_alone
        break_glass(world, ASKER)
        assert len(world.appliance.deletes) == 1

    def test_nobody_of_either_is_refused(self, world: World) -> None:
        for who in (CHIEF, ASKER):
            world.people.persons[who] = Person(id=who, team=TEAM, deleted=who == CHIEF)
        world.policy = world.policy.model_copy(update={"break_glass": frozenset({CHIEF})})
        world.worker = world.new_worker()
        world.ask()
        world.settle()
        assert world.state() is State.REFUSED
        assert world.outcome().code == "too_few_approvers"

    @pytest.mark.policy(**{**POLICY, "approvers": frozenset({GROUP})})
    def test_approvers_who_cannot_be_read_hold_up_no_emergency(self, world: World) -> None:
        """There may be enough of them: so Approve is on the card as well."""
        world.people.groups[GROUP] = GROUP_UNREADABLE
        world.pending()
        assert not world.get().glass_alone

    @pytest.mark.policy(
        **{**POLICY, "approvers": frozenset({FIRST}), "break_glass": frozenset({"S0CHIEFS"})}
    )
    def test_break_glass_that_cannot_be_read_is_asked_about_again(self, world: World) -> None:
        world.people.groups["S0CHIEFS"] = GROUP_UNREADABLE
        world.ask()
        world.settle()
        assert world.state() is State.CHECKING
        world.people.groups["S0CHIEFS"] = frozenset({CHIEF})
        world.wait(3_000)
        assert world.get().glass_alone


def test_with_enough_approvers_the_card_has_both(world: World) -> None:
    world.pending()
    assert not world.get().glass_alone
    world.press("approve", FIRST)
    break_glass(world)
    assert len(world.appliance.deletes) == 1
    assert world.get().deciders == (FIRST, CHIEF)
    assert the_entry(world, "glass_broken").detail["approvals"] == [FIRST]
