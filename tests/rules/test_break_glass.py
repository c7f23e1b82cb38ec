"""One person of BREAK_GLASS decides alone: through the real worker and store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.request.audit_chain import Record
from bot.request.model import State
from bot.request.problem import ProblemKind
from bot.request.who_may import GROUP_UNREADABLE, Person, Reason, Verdict
from bot.store import audit_trail as trail
from bot.store.queues import Queue
from bot.store.schema import requests
from tests.support.world import (
    ASKER,
    CHANNEL,
    FIRST,
    SECOND,
    START_MS,
    TEAM,
    World,
    problem,
    snapshot,
)

CHIEF, STRANGER = "U0CHIEF", "U0STRANGER"
WHY = "Prague is on fire"


def glass_world(**policy: object) -> World:
    plain = {
        "approvers": frozenset({FIRST, SECOND, "S0APPROVERS"}),
        "approvals_required": 2,
        "force_approvals_required": 3,
        "break_glass": frozenset({CHIEF, ASKER}),
    }
    return World(**{**plain, **policy})


@pytest.fixture
def world() -> Iterator[World]:
    world = glass_world()
    world.people.groups["S0APPROVERS"] = frozenset({"U0THIRD"})
    yield world
    world.close()


def break_glass(world: World, request_id: str, by: str = CHIEF, **changes: object) -> None:
    world.click(request_id, "break_glass", by, **{"reason": WHY, **changes})
    world.settle()


def the_entry(world: World, action: str) -> Record:
    (found,) = [record for record in trail.export(world.db) if record.action == action]
    return found


@pytest.mark.parametrize("by", [CHIEF, ASKER], ids=["somebody", "who asked"])
@pytest.mark.parametrize("force", [False, True])
def test_one_person_alone_is_enough_the_own_request_included(
    world: World, by: str, force: bool
) -> None:
    request_id = world.pending(force=force)
    break_glass(world, request_id, by)
    request = world.get()
    assert request.state is State.FOLLOWING
    assert world.appliance.deletes == [(request.pairing_id, force)]
    assert request.approvals == ()
    assert request.glass is not None
    assert (request.glass.by, request.glass.reason) == (by, WHY)
    assert request.deciders == (by,)
    assert (by, "glass_broken") in world.answers

    posts = [slot for _, slot, how in world.posted if how == "post"]
    assert [slot for slot in posts if slot.startswith("alarm")] == ["alarm:1"]
    (notice,) = request.notices
    assert notice.called == (FIRST, SECOND, "S0APPROVERS")

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
    world.click(request_id, "approve", FIRST)
    world.settle()
    break_glass(world, request_id, ASKER)
    assert len(world.appliance.deletes) == 1
    assert world.actions().count("glass_broken") == 1
    codes = [code for _, code in world.answers]
    assert codes == ["glass_broken", "ended", "ended", "already_decided"]


def told(world: World) -> list[str]:
    return [slot for _, slot, how in world.posted if slot.startswith("told") and how == "post"]


def test_every_approver_is_told_once_through_groups_too(world: World) -> None:
    """However quiet the channel is. Not whoever broke it, and not those who may only break it."""
    world.people.groups["S0APPROVERS"] = frozenset({"U0THIRD", FIRST, CHIEF})
    request_id = world.pending()
    break_glass(world, request_id)
    assert told(world) == [f"told:{who}:1" for who in (FIRST, SECOND, "U0THIRD")]
    notice = world.get().notices[0]
    assert (notice.who, notice.unread) == ((CHIEF,), ())
    world.appliance.end_task()
    for _ in range(3):
        world.wait(10_000)
    assert world.state() is State.SUCCEEDED
    assert len(told(world)) == 3


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
    held = {"post": world.ms + 30_000}
    while (due := world.outbox.claim(held)) is not None:
        assert due.ts is not None or due.answer is not None
        world.outbox.sent(due, ts=due.ts, digest="x")
    world.ms += 30_000
    world.settle()
    assert told(world) == [f"told:{who}:1" for who in (FIRST, SECOND, "U0THIRD")]


def test_a_group_that_cannot_be_read_holds_up_nothing_and_is_named(world: World) -> None:
    request_id = world.pending()
    world.people.groups["S0APPROVERS"] = GROUP_UNREADABLE
    break_glass(world, request_id)
    assert len(world.appliance.deletes) == 1
    assert told(world) == [f"told:{who}:1" for who in (FIRST, SECOND)]
    assert world.get().notices[0].unread == ("S0APPROVERS",)
    assert the_entry(world, "glass_broken").detail["unread_groups"] == ["S0APPROVERS"]


def test_a_press_without_the_right_asks_about_no_group(world: World) -> None:
    request_id = world.pending()
    world.people.groups_asked.clear()
    break_glass(world, request_id, STRANGER)
    assert world.people.groups_asked == []
    break_glass(world, request_id)
    assert world.people.groups_asked == ["S0APPROVERS"]
    assert len(told(world)) == 3


@pytest.mark.parametrize("by", [STRANGER, FIRST], ids=["a stranger", "an approver"])
def test_whoever_is_not_of_break_glass_decides_nothing_alone(world: World, by: str) -> None:
    request_id = world.pending()
    break_glass(world, request_id, by)
    request = world.get()
    assert request.state is State.PENDING
    assert (request.glass, request.approvals) == (None, ())
    assert world.answers == [(by, "no_glass_not_listed")]
    entry = the_entry(world, "click_refused")
    assert (entry.actor, entry.detail) == (by, {"click": "break_glass", "why": "not_listed"})


def test_to_break_the_glass_is_no_right_to_approve(world: World) -> None:
    request_id = world.pending()
    world.click(request_id, "approve", CHIEF)
    world.click(request_id, "deny", CHIEF)
    world.settle()
    assert world.state() is State.PENDING
    assert world.answers == [(CHIEF, "no_right_not_listed")] * 2


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"deleted": True}, "no_glass_deactivated"),
        ({"guest": True}, "no_glass_guest"),
        ({"bot": True}, "no_glass_bot"),
        ({"team": "T0OTHER"}, "no_glass_other_workspace"),
        ({"stranger": True}, "no_glass_other_workspace"),
    ],
)
def test_people_of_the_list_who_do_not_count(
    world: World, changes: dict[str, object], code: str
) -> None:
    request_id = world.pending()
    world.people.persons[CHIEF] = Person(id=CHIEF, team=TEAM).model_copy(update=changes)
    break_glass(world, request_id)
    assert world.state() is State.PENDING
    assert world.answers == [(CHIEF, code)]


def test_a_click_that_names_another_workspace_never_counts(world: World) -> None:
    request_id = world.pending()
    break_glass(world, request_id, team="T0OTHER")
    assert world.state() is State.PENDING
    assert world.answers == [(CHIEF, "no_glass_other_workspace")]


def test_a_group_that_cannot_be_read_is_a_no_with_when_to_try_again() -> None:
    world = glass_world(break_glass=frozenset({"S0CHIEFS"}))
    request_id = world.pending()
    world.people.groups["S0CHIEFS"] = Verdict(reason=Reason.GROUP_UNREADABLE, retry_at=START_MS + 9)
    break_glass(world, request_id)
    assert world.state() is State.PENDING
    assert world.answers == [(CHIEF, "no_glass_group_unreadable")]
    world.people.groups["S0CHIEFS"] = frozenset({CHIEF})
    break_glass(world, request_id)
    assert len(world.appliance.deletes) == 1
    world.close()


def test_without_a_reason_nothing_is_broken(world: World) -> None:
    request_id = world.pending()
    break_glass(world, request_id, reason=None)
    break_glass(world, request_id, reason="")
    assert world.state() is State.PENDING
    assert world.answers == [(CHIEF, "glass_without_reason")] * 2


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"fingerprint": "0" * 16}, "other_fingerprint"),
        ({"message_ts": "9.9"}, "not_the_card"),
        ({"channel": "C0ELSE"}, "not_the_card"),
        ({"ours": False}, "not_the_card"),
    ],
)
def test_what_the_form_carries_is_compared_like_a_button(
    world: World, changes: dict[str, object], code: str
) -> None:
    """A form comes back from a person's client, its `private_metadata` included."""
    request_id = world.pending()
    break_glass(world, request_id, **changes)
    assert world.state() is State.PENDING
    assert world.answers == [(CHIEF, code)]


def test_after_the_deadline_it_is_too_late(world: World) -> None:
    request_id = world.pending()
    world.ms = (world.get().decide_by or 0) + 1
    break_glass(world, request_id)
    assert world.state() is State.EXPIRED
    assert world.appliance.deletes == []


def test_what_has_changed_is_not_sent_either(world: World) -> None:
    request_id = world.pending()
    world.appliance.now = snapshot(count=4)
    break_glass(world, request_id)
    assert world.state() is State.CHANGED
    assert world.appliance.deletes == []


def test_in_a_dry_run_it_is_a_rehearsal() -> None:
    world = glass_world(dry_run=True)
    request_id = world.pending()
    break_glass(world, request_id)
    assert world.state() is State.REHEARSED
    assert world.appliance.deletes == []
    assert the_entry(world, "glass_broken").detail["dry_run"] is True
    world.close()


class TestTheRightIsReadOnceMore:
    """Between the click and the intent: lost is back to pending, unread waits."""

    def held_up(self, world: World) -> str:
        """Broken, and the appliance keeps it from being sent."""
        request_id = world.pending()
        deadline = world.get().decide_by
        world.appliance.read_failures = [problem(ProblemKind.UNANSWERED)]
        break_glass(world, request_id)
        assert world.state() is State.APPROVED
        assert world.get().decide_by == deadline
        return request_id

    def test_lost_brings_it_back_with_the_old_deadline(self, world: World) -> None:
        request_id = self.held_up(world)
        deadline = world.get().decide_by
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
        break_glass(world, request_id, ASKER)
        assert world.state() is State.FOLLOWING
        posts = [slot for _, slot, how in world.posted if how == "post"]
        assert [slot for slot in posts if slot.startswith("alarm")] == ["alarm:1", "alarm:3"]

    def test_unread_waits_until_it_can_be_read(self, world: World) -> None:
        self.held_up(world)
        world.people.unreadable = True
        world.wait(60_000)
        assert world.state() is State.APPROVED
        assert world.appliance.deletes == []
        world.people.unreadable = False
        world.wait(11_000)
        assert len(world.appliance.deletes) == 1

    def test_the_requester_can_still_take_it_back(self, world: World) -> None:
        request_id = self.held_up(world)
        world.click(request_id, "cancel", ASKER)
        world.settle()
        assert world.state() is State.CANCELLED
        assert world.appliance.deletes == []


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
        break_glass(world, request_id)
        assert world.state() is State.PENDING
        assert world.answers == [(CHIEF, "no_glass_here")]

    def test_switched_off_since_counts_at_once(self, world: World) -> None:
        request_id = world.pending()
        world.policy = world.policy.model_copy(update={"break_glass": frozenset()})
        world.worker = world.new_worker()
        break_glass(world, request_id)
        assert world.state() is State.PENDING
        assert world.answers == [(CHIEF, "no_glass_here")]
        assert world.get().terms.break_glass is False


class TestTooFewApprovers:
    def test_somebody_of_break_glass_makes_a_card(self) -> None:
        world = glass_world(approvers=frozenset({FIRST}))
        request_id = world.pending()
        assert world.get().glass_alone
        break_glass(world, request_id)
        assert len(world.appliance.deletes) == 1
        world.close()

    def test_the_requester_may_be_the_only_one(self) -> None:
        world = glass_world(approvers=frozenset({ASKER}), break_glass=frozenset({ASKER}))
        request_id = world.pending()
        break_glass(world, request_id, ASKER)
        assert len(world.appliance.deletes) == 1
        world.close()

    def test_nobody_of_either_is_refused(self) -> None:
        world = glass_world(approvers=frozenset({FIRST}))
        for who in (CHIEF, ASKER):
            world.people.persons[who] = Person(id=who, team=TEAM)
        world.people.persons[CHIEF] = Person(id=CHIEF, team=TEAM, deleted=True)
        world.policy = world.policy.model_copy(update={"break_glass": frozenset({CHIEF})})
        world.worker = world.new_worker()
        world.ask()
        world.settle()
        assert world.state() is State.REFUSED
        outcome = world.get().outcome
        assert outcome is not None
        assert outcome.code == "too_few_approvers"
        world.close()

    def test_approvers_who_cannot_be_read_hold_up_no_emergency(self) -> None:
        """There may be enough of them: so Approve is on the card as well."""
        world = glass_world(approvers=frozenset({"S0APPROVERS"}))
        world.people.groups["S0APPROVERS"] = GROUP_UNREADABLE
        world.pending()
        assert not world.get().glass_alone
        world.close()

    def test_break_glass_that_cannot_be_read_is_asked_about_again(self) -> None:
        world = glass_world(approvers=frozenset({FIRST}), break_glass=frozenset({"S0CHIEFS"}))
        world.people.groups["S0CHIEFS"] = GROUP_UNREADABLE
        world.ask()
        world.settle()
        assert world.state() is State.CHECKING
        world.people.groups["S0CHIEFS"] = frozenset({CHIEF})
        world.wait(3_000)
        assert world.get().glass_alone
        world.close()


def test_with_enough_approvers_the_card_has_both(world: World) -> None:
    request_id = world.pending()
    assert not world.get().glass_alone
    world.click(request_id, "approve", FIRST)
    world.settle()
    break_glass(world, request_id)
    assert len(world.appliance.deletes) == 1
    assert world.get().deciders == (FIRST, CHIEF)
    assert the_entry(world, "glass_broken").detail["approvals"] == [FIRST]
