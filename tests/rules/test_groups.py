"""User groups as approvers and requesters: through the real worker and store."""

from __future__ import annotations

import pytest

from bot.request.model import State
from bot.request.who_may import GROUP_UNREADABLE, Person
from bot.store import audit_trail as trail
from bot.store.queues import Queue
from tests.support.world import ASKER, FIRST, SECOND, TEAM, World

NIGHT, DAY = "S0NIGHT", "S0DAY"
THIRD = "U0THIRD"


class TestGroups:
    @pytest.mark.policy(approvers=frozenset({NIGHT, FIRST, DAY}))
    def test_whoever_is_listed_by_id_needs_no_group(self, world: World) -> None:
        world.pending()
        world.press("approve", FIRST)
        assert world.state() is State.FOLLOWING
        assert world.people.groups_asked == []

    @pytest.mark.policy(approvers=frozenset({NIGHT}), approvals_required=2)
    def test_a_group_is_asked_once_in_one_reading_and_again_in_the_next(self, world: World) -> None:
        world.people.groups[NIGHT] = frozenset({FIRST, SECOND})
        world.pending()
        world.people.groups_asked.clear()
        world.press("approve", FIRST)
        assert world.people.groups_asked == [NIGHT]
        # At the last click for both, and before the intent for both once more.
        world.press("approve", SECOND)
        assert world.people.groups_asked == [NIGHT] * 3
        assert world.state() is State.FOLLOWING

    @pytest.mark.policy(approvers=frozenset({NIGHT, DAY, FIRST}), approvals_required=2)
    def test_the_trail_has_through_which_entry_each_approval_counted(self, world: World) -> None:
        world.people.groups[NIGHT] = frozenset({FIRST, SECOND})
        world.pending()
        world.press("approve", FIRST)
        world.click("AAAA-BBBB", "approve", SECOND)
        while world.state() is State.PENDING:
            assert world.worker.step(Queue.DECIDE)
        world.people.groups = {DAY: frozenset({SECOND})}  # moved, before the rights are read again
        world.settle()
        told = {r.action: r.detail for r in trail.export(world.db)}
        by = [r.detail["through"] for r in trail.export(world.db) if r.action == "approved_by"]
        assert by == [FIRST, NIGHT]
        assert told["intent"]["through"] == {FIRST: FIRST, SECOND: DAY}

    @pytest.mark.policy(approvers=frozenset({DAY, NIGHT}))
    def test_of_two_groups_the_one_that_can_be_read_is_enough(self, world: World) -> None:
        world.people.groups = {DAY: GROUP_UNREADABLE, NIGHT: frozenset({FIRST})}
        world.pending()
        world.press("approve", SECOND)
        assert world.answers == [(SECOND, "no_right_group_unreadable")]
        world.press("approve", FIRST)
        assert world.state() is State.FOLLOWING

    @pytest.mark.policy(approvers=frozenset({NIGHT}))
    def test_a_group_that_fails_before_the_intent_is_waited_for(self, world: World) -> None:
        world.people.groups[NIGHT] = frozenset({FIRST})
        world.pending()
        reads = iter([frozenset({FIRST}), GROUP_UNREADABLE])
        world.people.members = lambda group: next(reads)  # type: ignore[method-assign]
        world.press("approve", FIRST)
        assert world.state() is State.APPROVED
        assert world.appliance.deletes == []
        del world.people.members  # type: ignore[attr-defined]
        world.wait(5_000)
        assert world.state() is State.FOLLOWING

    @pytest.mark.policy(approvers=frozenset({FIRST, SECOND, NIGHT}), approvals_required=2)
    def test_one_who_lost_the_right_is_not_waited_for_with_one_who_cannot_be_read(
        self, world: World
    ) -> None:
        world.people.groups[NIGHT] = frozenset({THIRD})
        world.pending()
        world.press("approve", THIRD)
        world.people.groups[NIGHT] = GROUP_UNREADABLE
        world.press("approve", FIRST)
        assert world.state() is State.APPROVED
        world.people.persons[FIRST] = Person(id=FIRST, team=TEAM, deleted=True)
        world.wait(5_000)
        assert world.state() is State.PENDING
        assert [d.by for d in world.get().approvals] == [THIRD]
        assert world.appliance.deletes == []

    @pytest.mark.policy(requesters=frozenset({NIGHT}))
    def test_requesters_may_be_a_group_and_an_unreadable_one_is_waited_for(
        self, world: World
    ) -> None:
        world.people.groups[NIGHT] = GROUP_UNREADABLE
        world.ask()
        world.settle()
        assert world.state() is State.CHECKING
        world.people.groups[NIGHT] = frozenset({ASKER})
        world.wait(2_000)
        assert world.state() is State.PENDING
        world.ask("CCCC-DDDD", by=SECOND)
        world.settle()
        outcome = world.outcome("CCCC-DDDD")
        assert (outcome.code, outcome.lines) == ("requester_not_allowed", ("not_listed",))
