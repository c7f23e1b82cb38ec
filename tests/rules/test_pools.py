"""Pools of approvers: each has its number, nobody counts for two, and whoever can count does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.request.model import State
from bot.request.pools import Pool, assign, could_help, missing, stricter
from bot.request.who_may import GROUP_UNREADABLE, Person
from bot.slack.draw.words.phrases import to_call
from bot.store.audit_trail import export
from bot.store.queues import Queue
from tests.support.world import ASKER, FIRST, POLL_MS, SECOND, TEAM, World, changed_policy

THIRD, GROUP = "U0THIRD", "S0GUARDS"
DISKS = Pool(name="disks", needed=1, listed=(FIRST, SECOND))
GUARDS = Pool(name="guards", needed=1, listed=(GROUP, SECOND))
TWO = pytest.mark.policy(pools=(DISKS, GUARDS), notify=(FIRST, SECOND, GROUP))

names = st.sampled_from(["a", "b", "c"])
pools_of = st.lists(names, unique=True, min_size=1).flatmap(
    lambda some: st.tuples(
        *(st.builds(Pool, name=st.just(name), needed=st.integers(1, 3)) for name in some)
    )
)
crowds = st.dictionaries(st.sampled_from(["U1", "U2", "U3", "U4"]), st.lists(names, unique=True))


def most(people: Mapping[str, Sequence[str]], pools: Sequence[Pool]) -> int:
    """How many can count at best, by trying each order of people on each row of seats."""
    seats = [pool.name for pool in pools for _ in range(pool.needed)]
    rows = permutations([*people, *("" for _ in seats)], len(seats))
    return max(
        (
            sum(seat in people.get(who, ()) for who, seat in zip(row, seats, strict=True))
            for row in rows
        ),
        default=0,
    )


@given(people=crowds, pools=pools_of.filter(lambda some: sum(p.needed for p in some) <= 3))
def test_whoever_can_count_does_and_for_one_pool_alone(
    people: dict[str, list[str]], pools: tuple[Pool, ...]
) -> None:
    counted = assign(people, pools)
    assert all(name in people[who] for who, name in counted.items())
    assert all(list(counted.values()).count(pool.name) <= pool.needed for pool in pools)
    assert len(counted) == most(people, pools)
    assert sum(missing(people, pools).values()) == sum(p.needed for p in pools) - len(counted)
    for name in ("a", "b", "c"):
        more = {**people, "U9": [name]}
        assert could_help([name], people, pools) == (most(more, pools) > most(people, pools))


@given(people=crowds, pools=pools_of)
def test_whoever_counts_goes_on_to_count_when_more_come(
    people: dict[str, list[str]], pools: tuple[Pool, ...]
) -> None:
    so_far: dict[str, list[str]] = {}
    counted: set[str] = set()
    for who, of in people.items():
        so_far[who] = of
        now = set(assign(so_far, pools))
        assert counted <= now
        counted = now


def test_what_was_promised_and_what_is_asked_now_both_hold() -> None:
    now = (Pool(name="disks", needed=2, listed=("U1",)), Pool(name="new", needed=1))
    found = stricter((DISKS, GUARDS), now)
    assert [(pool.name, pool.needed) for pool in found] == [("disks", 2), ("guards", 1), ("new", 1)]
    assert found[0].listed == ("U1",)
    assert found[1].listed == (), "nobody can fill a pool that is no more"


@TWO
class TestTwoPools:
    @pytest.fixture(autouse=True)
    def _guards(self, world: World) -> None:
        world.people.groups[GROUP] = frozenset({THIRD})

    def test_both_must_have_their_number(self, world: World) -> None:
        world.pending()
        world.press("approve", FIRST)
        assert (world.state(), world.get().missing) == (State.PENDING, {"guards": 1})
        world.press("approve", THIRD)
        assert len(world.appliance.deletes) == 1
        assert world.get().counted == {FIRST: "disks", THIRD: "guards"}
        said = [each.detail for each in export(world.db) if each.action == "approved_by"]
        told = [(each["pool"], each["through"]) for each in said]
        assert told == [("disks", FIRST), ("guards", GROUP)]

    def test_who_is_in_both_stands_where_somebody_is_missing(self, world: World) -> None:
        """For the disks, until somebody comes who could stand there alone."""
        world.pending()
        world.press("approve", SECOND)
        assert world.get().counted == {SECOND: "disks"}
        world.press("approve", FIRST)
        assert world.get().counted == {FIRST: "disks", SECOND: "guards"}
        assert len(world.appliance.deletes) == 1

    def test_who_is_not_needed_any_more_is_told_and_does_not_count(self, world: World) -> None:
        world.people.groups[GROUP] = frozenset({THIRD, "U0FOURTH"})
        world.pending()
        world.press("approve", THIRD)
        world.press("approve", "U0FOURTH")
        assert world.answers[-1] == ("U0FOURTH", "pool_is_full")
        assert (world.state(), len(world.get().approvals)) == (State.PENDING, 1)

    def test_only_who_can_still_help_is_called(self, world: World) -> None:
        world.pending()
        everybody = f"<@{FIRST}> <@{SECOND}> <!subteam^{GROUP}>"
        assert to_call(world.get()).replace(",", "").replace(" and", "") == everybody
        world.press("approve", THIRD)
        assert GROUP not in to_call(world.get())
        world.press("approve", "U0NOBODY")
        assert FIRST in to_call(world.get())

    def test_who_has_left_their_pool_counts_for_it_no_more(self, world: World) -> None:
        world.pending()
        world.press("approve", THIRD)
        world.people.groups[GROUP] = frozenset()
        world.press("approve", FIRST)
        assert (world.appliance.deletes, world.state()) == ([], State.PENDING)
        assert world.get().missing == {"guards": 1}

    def test_a_pool_that_is_lost_after_the_last_click_is_missed_before_the_delete(
        self, world: World
    ) -> None:
        """SECOND has left the guards, and still is one of the disks."""
        world.people.groups[GROUP] = frozenset()
        world.pending()
        world.press("approve", SECOND)
        gone = frozenset({"U0FOURTH"})
        world.click("AAAA-BBBB", "approve", FIRST)
        world.worker.step(Queue.DECIDE)
        assert world.state() is State.APPROVED
        pools = (DISKS, GUARDS.model_copy(update={"listed": (GROUP,)}))
        world.people.groups[GROUP] = gone
        world.policy = changed_policy(world.policy, pools=pools)
        world.worker = world.new_worker()
        world.settle()
        assert (world.appliance.deletes, world.state()) == ([], State.PENDING)
        assert world.get().missing == {"guards": 1}

    def test_a_pool_that_slack_does_not_tell_of_is_waited_for(self, world: World) -> None:
        world.pending()
        world.press("approve", FIRST)
        world.click("AAAA-BBBB", "approve", THIRD)
        world.worker.step(Queue.DECIDE)
        world.people.groups[GROUP] = GROUP_UNREADABLE
        world.settle()
        assert (world.appliance.deletes, world.state()) == ([], State.APPROVED)
        world.people.groups[GROUP] = frozenset({THIRD})
        world.wait(POLL_MS)
        assert len(world.appliance.deletes) == 1

    def test_a_pool_that_nobody_can_fill_is_named(self, world: World) -> None:
        world.people.groups[GROUP] = frozenset()
        world.people.persons[SECOND] = Person(id=SECOND, team=TEAM, guest=True)
        world.ask()
        world.settle()
        assert world.end() == (State.REFUSED, "too_few_approvers")
        assert world.outcome().lines == ("guards", "0", "1")

    def test_one_person_cannot_fill_two_pools(self, world: World) -> None:
        world.people.groups[GROUP] = frozenset()
        world.people.persons[FIRST] = Person(id=FIRST, team=TEAM, deleted=True)
        world.ask()
        world.settle()
        assert world.end() == (State.REFUSED, "too_few_approvers")


@pytest.mark.policy(
    approvers=frozenset({FIRST, "U0FIRST2", SECOND, "U0ASKER2"}),
    approvals_required=2,
    same_person=((FIRST, "U0FIRST2"), (ASKER, "U0ASKER2")),
)
class TestSamePerson:
    def test_two_accounts_of_one_person_count_once(self, world: World) -> None:
        world.pending()
        world.press("approve", FIRST)
        world.press("approve", "U0FIRST2")
        assert world.answers[-1] == ("U0FIRST2", "already_counted")
        assert world.state() is State.PENDING
        world.press("approve", SECOND)
        assert len(world.appliance.deletes) == 1

    def test_the_requesters_other_account_never_counts(self, world: World) -> None:
        world.pending()
        world.press("approve", "U0ASKER2")
        assert world.answers[-1] == ("U0ASKER2", "no_right_own_request")
        assert world.get().approvals == ()

    def test_they_are_one_who_could_approve(self, world: World) -> None:
        world.people.persons[SECOND] = Person(id=SECOND, team=TEAM, deleted=True)
        world.ask()
        world.settle()
        assert world.end() == (State.REFUSED, "too_few_approvers")
