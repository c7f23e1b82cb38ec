"""User groups as approvers and requesters: through the real worker and store."""

from __future__ import annotations

import pytest

from bot.request.model import State
from bot.request.who_may import GROUP_UNREADABLE, Person
from tests.support.listed import DAY, NIGHT, THIRD, groups, refusals
from tests.support.world import ASKER, FIRST, SECOND, START_MS, TEAM, World


class TestGroups:
    def test_a_member_decides_and_somebody_else_does_not(self) -> None:
        world = groups(NIGHT)
        world.people.groups[NIGHT] = frozenset({FIRST})
        request_id = world.pending()
        world.click(request_id, "approve", SECOND)
        world.settle()
        assert world.answers == [(SECOND, "no_right_not_listed")]
        world.click(request_id, "approve", FIRST)
        world.settle()
        assert world.state() is State.FOLLOWING
        world.close()

    def test_whoever_is_listed_by_id_needs_no_group(self) -> None:
        world = groups(NIGHT, FIRST, DAY)
        request_id = world.pending()
        world.click(request_id, "approve", FIRST)
        world.settle()
        assert world.state() is State.FOLLOWING
        assert world.people.groups_asked == []
        world.close()

    def test_a_group_is_asked_once_in_one_reading_and_again_in_the_next(self) -> None:
        world = groups(NIGHT, approvals_required=2)
        world.people.groups[NIGHT] = frozenset({FIRST, SECOND})
        request_id = world.pending()
        world.people.groups_asked.clear()
        world.click(request_id, "approve", FIRST)
        world.settle()
        assert world.people.groups_asked == [NIGHT]
        # At the last click for both, and before the intent for both once more.
        world.click(request_id, "approve", SECOND)
        world.settle()
        assert world.people.groups_asked == [NIGHT] * 3
        assert world.state() is State.FOLLOWING
        world.close()

    def test_a_person_by_three_routes_counts_once(self) -> None:
        world = groups(NIGHT, DAY, FIRST, SECOND, approvals_required=2)
        world.people.groups = {NIGHT: frozenset({FIRST}), DAY: frozenset({FIRST})}
        request_id = world.pending()
        world.click(request_id, "approve", FIRST)
        world.click(request_id, "approve", FIRST)
        world.settle()
        assert world.state() is State.PENDING
        assert len(world.get().approvals) == 1
        world.close()

    def test_of_two_groups_the_one_that_can_be_read_is_enough(self) -> None:
        world = groups(DAY, NIGHT)
        world.people.groups = {DAY: GROUP_UNREADABLE, NIGHT: frozenset({FIRST})}
        request_id = world.pending()
        world.click(request_id, "approve", SECOND)
        world.settle()
        assert world.answers == [(SECOND, "no_right_group_unreadable")]
        world.click(request_id, "approve", FIRST)
        world.settle()
        assert world.state() is State.FOLLOWING
        world.close()

    def test_an_unreadable_group_is_a_no_with_when_to_try_again(self) -> None:
        world = groups(NIGHT, SECOND)
        request_id = world.pending()
        later = START_MS + 40_000
        world.people.groups[NIGHT] = GROUP_UNREADABLE.model_copy(update={"retry_at": later})
        world.click(request_id, "deny", FIRST)
        world.settle()
        assert world.state() is State.PENDING
        assert world.answers == [(FIRST, "no_right_group_unreadable")]
        assert refusals(world) == [(FIRST, "group_unreadable")]
        # Who is listed by id is not held up, and it is well again by itself.
        world.people.groups[NIGHT] = frozenset({FIRST})
        world.click(request_id, "deny", FIRST)
        world.settle()
        assert world.state() is State.DENIED
        world.close()

    def test_removed_from_the_group_before_the_last_click(self) -> None:
        world = groups(NIGHT, approvals_required=2)
        world.people.groups[NIGHT] = frozenset({FIRST, SECOND, THIRD})
        request_id = world.pending()
        world.click(request_id, "approve", FIRST)
        world.settle()
        world.people.groups[NIGHT] = frozenset({SECOND, THIRD})
        world.click(request_id, "approve", SECOND)
        world.settle()
        assert [d.by for d in world.get().approvals] == [SECOND]
        assert [n.who for n in world.get().notices] == [(FIRST,)]
        world.click(request_id, "approve", THIRD)
        world.settle()
        assert world.state() is State.FOLLOWING
        world.close()

    def test_a_group_that_fails_before_the_intent_is_waited_for(self) -> None:
        world = groups(NIGHT)
        world.people.groups[NIGHT] = frozenset({FIRST})
        request_id = world.pending()
        reads = iter([frozenset({FIRST}), GROUP_UNREADABLE])
        world.people.members = lambda group: next(reads)  # type: ignore[method-assign]
        world.click(request_id, "approve", FIRST)
        world.settle()
        assert world.state() is State.APPROVED
        assert world.appliance.deletes == []
        del world.people.members  # type: ignore[attr-defined]
        world.wait(5_000)
        assert world.state() is State.FOLLOWING
        world.close()

    def test_and_its_approval_runs_out_when_it_never_comes_back(self) -> None:
        world = groups(NIGHT)
        world.people.groups[NIGHT] = frozenset({FIRST})
        request_id = world.pending()
        reads = iter([frozenset({FIRST})])
        world.people.members = lambda group: next(reads, GROUP_UNREADABLE)  # type: ignore[method-assign]
        world.click(request_id, "approve", FIRST)
        world.settle()
        for _ in range(10):
            world.wait(60_000)
        assert world.state() is State.EXPIRED
        assert world.appliance.deletes == []
        world.close()

    def test_one_who_lost_the_right_is_not_waited_for_with_one_who_cannot_be_read(self) -> None:
        world = World(approvers=frozenset({FIRST, SECOND, NIGHT}), approvals_required=2)
        world.people.groups[NIGHT] = frozenset({THIRD})
        request_id = world.pending()
        world.click(request_id, "approve", THIRD)
        world.settle()
        world.people.groups[NIGHT] = GROUP_UNREADABLE
        world.click(request_id, "approve", FIRST)
        world.settle()
        assert world.state() is State.APPROVED
        world.people.persons[FIRST] = Person(id=FIRST, team=TEAM, deleted=True)
        world.wait(5_000)
        assert world.state() is State.PENDING
        assert [d.by for d in world.get().approvals] == [THIRD]
        assert world.appliance.deletes == []
        world.close()

    @pytest.mark.parametrize("listed", [NIGHT, ASKER])
    def test_requesters_may_be_a_group(self, listed: str) -> None:
        world = World(requesters=frozenset({listed}))
        world.people.groups[NIGHT] = frozenset({ASKER})
        world.pending()
        world.ask("CCCC-DDDD", by=SECOND)
        world.settle()
        assert world.state("CCCC-DDDD") is State.REFUSED
        outcome = world.get("CCCC-DDDD").outcome
        assert outcome is not None
        assert (outcome.code, outcome.lines) == ("requester_not_allowed", ("not_listed",))
        world.close()

    def test_an_unreadable_group_of_requesters_is_waited_for(self) -> None:
        world = World(requesters=frozenset({NIGHT}))
        world.people.groups[NIGHT] = GROUP_UNREADABLE
        world.ask()
        world.settle()
        assert world.state() is State.CHECKING
        world.people.groups[NIGHT] = frozenset({ASKER})
        world.wait(2_000)
        assert world.state() is State.PENDING
        world.close()
