"""Whose approval and denial count (never the requester's own), when, and what the loser of a race
is told: through the real worker and store."""

from __future__ import annotations

import pytest

from bot.request.events import Clicked
from bot.request.model import State
from bot.request.pairing import Server, digest_of
from bot.request.problem import ProblemKind
from bot.request.who_may import UNREADABLE, Person
from bot.store import audit_trail as trail
from bot.store.queues import Queue
from bot.store.saving import BEHIND_THE_DELETE_MS
from tests.support.world import (
    ASKER,
    CHANNEL,
    FIRST,
    SECOND,
    TEAM,
    World,
    problem,
    snapshot,
)

STRANGER = "U0STRANGER"
WITH_GLASS = {"break_glass": frozenset({FIRST})}


def test_the_requesters_own_approval_never_counts(world: World) -> None:
    request_id = world.pending()
    world.click(request_id, "approve", ASKER)
    world.settle()
    assert world.state() is State.PENDING
    assert world.appliance.deletes == []
    assert world.answers == [(ASKER, "own_request_approve")]


@pytest.mark.policy(approvals_required=2)
def test_two_of_two_are_needed_and_one_person_counts_once(world: World) -> None:
    request_id = world.pending()
    world.click(request_id, "approve", FIRST)
    world.press("approve", FIRST)
    assert world.state() is State.PENDING
    assert (FIRST, "already_counted") in world.answers
    world.press("approve", SECOND)
    assert world.state() is State.FOLLOWING


@pytest.mark.policy(force_approvals_required=2)
def test_a_one_sided_break_can_need_more(world: World) -> None:
    world.pending(force=True)
    world.press("approve", FIRST)
    assert world.state() is State.PENDING
    world.press("approve", SECOND)
    assert world.appliance.deletes[0][1] is True


@pytest.mark.policy(**WITH_GLASS)
@pytest.mark.parametrize(("action", "right"), [("approve", "right"), ("break_glass", "glass")])
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"deleted": True}, "deactivated"),
        ({"guest": True}, "guest"),
        ({"bot": True}, "bot"),
        ({"team": "T0OTHER"}, "other_workspace"),
        ({"stranger": True}, "other_workspace"),
    ],
)
def test_listed_people_who_do_not_count(
    world: World, changes: dict[str, object], why: str, action: str, right: str
) -> None:
    world.pending()
    world.people.persons[FIRST] = Person(id=FIRST, team=TEAM).model_copy(update=changes)
    world.press(action, FIRST, reason="it burns")
    assert world.state() is State.PENDING
    assert world.answers == [(FIRST, f"no_{right}_{why}")]


@pytest.mark.parametrize("action", ["approve", "deny"])
def test_a_stranger_decides_nothing(world: World, action: str) -> None:
    world.pending()
    world.press(action, STRANGER)
    assert world.state() is State.PENDING
    assert world.answers == [(STRANGER, "no_right_not_listed")]


@pytest.mark.parametrize("action", ["approve", "deny"])
def test_who_is_held_up_by_slacks_limit_is_told_until_when(world: World, action: str) -> None:
    world.pending()
    limited = UNREADABLE.model_copy(update={"retry_at": world.ms + 30_000})
    world.people.persons[FIRST] = limited
    world.press(action, FIRST)
    assert world.answers == [(FIRST, "no_right_unreadable")]
    assert world.params == [{"retry_at": str(limited.retry_at)}]


def test_unreadable_rights_are_a_no(world: World) -> None:
    world.pending()
    world.people.unreadable = True
    world.press("approve", FIRST)
    assert world.state() is State.PENDING
    assert world.answers == [(FIRST, "no_right_unreadable")]


def test_a_denial_ends_it_with_its_reason(world: World) -> None:
    request_id = world.pending()
    world.click(request_id, "deny", FIRST, reason="not this week")
    world.press("approve", SECOND)
    request = world.get()
    assert request.state is State.DENIED
    assert request.denial is not None
    assert request.denial.reason == "not this week"
    assert (SECOND, "already_decided") in world.answers
    assert world.appliance.deletes == []


def test_only_the_requester_cancels(world: World) -> None:
    world.pending()
    world.press("cancel", FIRST)
    assert world.state() is State.PENDING
    world.press("cancel", ASKER)
    assert world.state() is State.CANCELLED


def test_a_cancel_that_is_stored_wins_over_an_approval_not_sent(world: World) -> None:
    request_id = world.pending()
    # In the last moment: after everything was read, before the intent.
    world.appliance.meanwhile["prepare_delete"] = lambda: world.click(request_id, "cancel", ASKER)
    world.press("approve", FIRST)
    assert world.state() is State.CANCELLED
    assert world.appliance.deletes == []


def test_cancel_after_the_intent_is_too_late(world: World) -> None:
    world.pending()
    world.press("approve", FIRST)
    world.press("cancel", ASKER)
    assert world.state() is State.FOLLOWING
    assert (ASKER, "already_decided") in world.answers


@pytest.mark.policy(**WITH_GLASS)
@pytest.mark.parametrize("action", ["approve", "break_glass"])
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"message_ts": "999.999"}, "not_the_card"),
        ({"channel": "C0OTHER"}, "not_the_card"),
        ({"ours": False}, "not_the_card"),
    ],
)
def test_clicks_from_elsewhere_never_count(
    world: World, changes: dict[str, object], code: str, action: str
) -> None:
    """A form comes back from a person's client, its `private_metadata` included."""
    world.pending()
    world.press(action, FIRST, **{"reason": "it burns", **changes})
    assert world.state() is State.PENDING
    assert world.answers == [(FIRST, code)]


def test_a_click_before_slacks_answer_to_the_post_counts(world: World) -> None:
    world.ask()
    while world.worker.step(Queue.CHECK):
        pass
    assert world.state() is State.CHECKING
    world.press("approve", FIRST, message_ts="77.000")
    assert world.state() is State.FOLLOWING
    assert world.get().card_ts == "77.000"


def test_a_copy_of_the_card_becomes_a_pointer(world: World) -> None:
    world.pending()
    world.press("approve", FIRST, message_ts="5.555")
    assert world.get().strays == ("5.555",)
    assert ("AAAA-BBBB", "stray:5.555", "edit") in world.posted


def test_of_two_last_approvals_the_second_is_answered_at_once(world: World) -> None:
    request_id = world.pending()
    world.click(request_id, "approve", FIRST)
    world.click(request_id, "approve", SECOND)
    world.press("deny", SECOND)
    world.wait(BEHIND_THE_DELETE_MS)
    assert world.state() is State.FOLLOWING
    assert sorted(world.answers) == [
        (FIRST, "approval_counted"),
        (SECOND, "already_decided"),
        (SECOND, "already_decided"),
    ]


class TestTime:
    def test_undecided_expires_by_itself(self, world: World) -> None:
        world.pending()
        world.wait(3_600_000)
        assert world.state() is State.EXPIRED
        assert ("AAAA-BBBB", "card", "edit") in world.posted

    def test_a_click_stored_before_the_deadline_counts_after_it(self, world: World) -> None:
        request_id = world.pending()
        world.ms += 3_599_999
        world.click(request_id, "approve", FIRST)
        world.wait(60_000)
        assert world.state() is State.FOLLOWING

    @pytest.mark.policy(**WITH_GLASS)
    @pytest.mark.parametrize("action", ["approve", "break_glass"])
    def test_a_click_after_the_deadline_does_not(self, world: World, action: str) -> None:
        world.pending()
        world.ms += 3_600_000
        world.press(action, FIRST, reason="it burns")
        assert world.state() is State.EXPIRED
        assert world.answers == [(FIRST, "too_late")]

    def test_reminders_with_doubling_gaps_and_none_after(self, world: World) -> None:
        world.pending()
        for _ in range(59):
            world.wait(60_000)
        reminders = [s for _, s, _ in world.posted if s.startswith("reminder")]
        assert reminders == ["reminder:1", "reminder:2"]  # at 15 and 45 minutes
        world.press("deny", FIRST)
        before = len(world.posted)
        world.wait(7_200_000)
        assert len(world.posted) == before


@pytest.mark.policy(**WITH_GLASS)
class TestTheWorldMoved:
    @pytest.mark.parametrize("action", ["approve", "break_glass"])
    def test_what_rule_3_names_is_changed(self, world: World, action: str) -> None:
        """`test_fingerprint.py` has all that it names."""
        world.pending()
        world.appliance.now = snapshot(count=4)
        world.press(action, FIRST, reason="it burns")
        assert world.state() is State.CHANGED
        assert world.appliance.deletes == []
        # People are told names, so the trail keeps the ids that were compared.
        checked, changed = (
            next(r for r in trail.export(world.db) if r.action == action)
            for action in ("checked", "changed")
        )
        assert changed.detail["compared"].keys() == checked.detail["compared"].keys()
        assert changed.detail["compared"] != checked.detail["compared"]

    def test_one_that_came_into_a_recovery_plan_is_named_and_nothing_is_sent(
        self, world: World
    ) -> None:
        world.pending()
        first, *others = snapshot().replications
        guarded = (first.model_copy(update={"protected": True}), *others)
        digest = digest_of([first.id])
        world.appliance.now = snapshot(replications=guarded, protected=1, protected_digest=digest)
        world.press("approve", FIRST)
        assert world.state() is State.CHANGED
        assert world.outcome().lines == (f"replications newly in a recovery plan: “{first.name}”",)
        assert world.appliance.deletes == []

    @pytest.mark.parametrize("force", [False, True])
    @pytest.mark.parametrize("dry_run", [False, True])
    def test_a_reading_that_was_whole_and_is_partial_waits_until_the_time_to_begin_is_over(
        self, world: World, force: bool, dry_run: bool
    ) -> None:
        """Behind equal numbers may be other replications. The remote site that has gone down is the
        usual case of a one-sided break."""
        world.policy = world.policy.model_copy(update={"dry_run": dry_run})
        world.worker = world.new_worker()
        world.pending(force=force)
        down = Server(id="vr-b", status="ERROR")
        gap = "the remote site does not answer (PARTIAL_DATA)"
        lost = {"complete": False, "replications_digest": None, "replications": ()}
        world.appliance.now = snapshot(remote_vrms=down, partial=(gap,), **lost)
        world.press("approve", FIRST)
        assert world.state() is State.APPROVED
        world.wait(60_000)
        assert world.notices() == ["waits_to_send"]
        assert gap in world.get().notices[0].text
        reading = world.appliance.listings
        assert reading <= 6
        world.wait(600_000)
        assert world.end() == (State.EXPIRED, "not_begun")
        assert gap in (world.outcome().problem or problem(ProblemKind.UNSENT)).text
        assert world.appliance.deletes == []

    def test_it_goes_on_when_it_can_be_read_in_full_again(self, world: World) -> None:
        world.pending()
        world.appliance.now = snapshot(complete=False)
        world.press("approve", FIRST)
        world.appliance.now = snapshot()
        world.wait(30_000)
        assert (world.state(), len(world.appliance.deletes)) == (State.FOLLOWING, 1)

    def test_what_was_partial_on_the_card_is_compared_by_its_number(self, world: World) -> None:
        world.appliance.now = snapshot(complete=False)
        world.pending()
        world.press("approve", FIRST)
        assert world.state() is State.FOLLOWING

    @pytest.mark.policy(approvals_required=2)
    def test_a_right_that_is_lost_before_the_last_click_does_not_count(self, world: World) -> None:
        world.pending()
        world.press("approve", FIRST)
        deadline = world.get().decide_by
        world.people.persons[FIRST] = Person(id=FIRST, team=TEAM, deleted=True)
        world.press("approve", SECOND)
        request = world.get()
        assert request.state is State.PENDING
        assert [d.by for d in request.approvals] == [SECOND]
        assert [n.who for n in request.notices] == [(FIRST,)]
        assert request.decide_by == deadline
        assert world.appliance.deletes == []


def test_presses_of_strangers_do_not_hold_up_the_delete(world: World) -> None:
    """They come all the time, between any two steps, and are answered after it."""
    world.pending()

    def pressed() -> None:
        for action in ("approve", "deny", "cancel"):
            world.click("AAAA-BBBB", action, STRANGER)

    for call in ("read_to_act", "prepare_delete"):
        world.appliance.meanwhile[call] = pressed
    world.press("approve", FIRST)
    world.wait(1_000)
    assert world.state() is State.FOLLOWING
    actions = world.actions()
    assert "click_refused" not in actions[actions.index("approved") : actions.index("accepted")]
    assert [who for who, _ in world.answers].count(STRANGER) == 6


def test_a_withdraw_among_them_wins(world: World) -> None:
    world.pending()

    def pressed() -> None:
        for who in (STRANGER, ASKER, STRANGER):
            world.click("AAAA-BBBB", "cancel", who)

    world.appliance.meanwhile["prepare_delete"] = pressed
    world.press("approve", FIRST)
    world.wait(1_000)
    assert (world.state(), world.appliance.deletes) == (State.CANCELLED, [])
    assert len(world.answers) == 4


def test_a_second_request_for_the_same_pairing_is_refused(world: World) -> None:
    world.pending()
    world.ask("CCCC-DDDD", by=SECOND)
    world.settle()
    assert world.state("CCCC-DDDD") is State.REFUSED
    assert world.outcome("CCCC-DDDD").lines == ("AAAA-BBBB",)
    assert world.state() is State.PENDING
    assert (SECOND, "refused") in world.answers


def test_a_click_on_a_request_that_does_not_exist_is_answered(world: World) -> None:
    lost = Clicked(
        action="approve",
        by=FIRST,
        team=TEAM,
        fingerprint="x",
        channel=CHANNEL,
        message_ts="1.0",
        ours=True,
    )
    world.put(lost, "ZZZZ-ZZZZ")
    world.settle()
    assert world.answers == [(FIRST, "unknown_request")]
