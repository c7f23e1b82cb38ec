"""Whether anybody could approve, found out with few calls: by the check, before a card is shown."""

from __future__ import annotations

import pytest

from bot.request.model import State
from bot.request.pools import ALL
from bot.request.who_may import GROUP_UNREADABLE, UNREADABLE, Person
from bot.worker.rights import Reading
from tests.support.world import (
    ASKER,
    FIRST,
    SECOND,
    START_MS,
    TEAM,
    FakePeople,
    World,
    one_pool,
)

NIGHT = "S0NIGHT"


class TestTooFew:
    @pytest.mark.policy(approvers=frozenset({FIRST, SECOND}), approvals_required=2)
    def test_people_who_do_not_count_are_no_possible_approvers(self, world: World) -> None:
        world.people.persons[SECOND] = Person(id=SECOND, team=TEAM, guest=True)
        world.ask()
        world.settle()
        outcome = world.outcome()
        assert (outcome.code, outcome.lines) == ("too_few_approvers", ("", "1", "2"))
        assert world.actions()[-1] == "refused"
        assert world.posted == []

    @pytest.mark.policy(approvers=frozenset({FIRST, SECOND}), force_approvals_required=3)
    def test_a_one_sided_break_needs_its_own_number(self, world: World) -> None:
        world.pending()
        world.click("AAAA-BBBB", "cancel", ASKER)
        world.ask("CCCC-DDDD", force=True)
        world.settle()
        assert world.state("CCCC-DDDD") is State.REFUSED

    @pytest.mark.policy(approvers=frozenset({NIGHT}))
    def test_what_slack_does_not_tell_is_no_refusal_and_is_asked_again(self, world: World) -> None:
        later = START_MS + 30_000
        world.people.groups[NIGHT] = GROUP_UNREADABLE.model_copy(update={"retry_at": later})
        world.ask()
        world.settle()
        world.wait(29_000)
        assert world.people.groups_asked == [NIGHT]
        world.wait(1_000)
        assert world.people.groups_asked == [NIGHT, NIGHT]
        assert world.state() is State.CHECKING
        world.people.groups[NIGHT] = frozenset({FIRST})
        world.wait(2_000)
        assert world.state() is State.PENDING

    @pytest.mark.policy(approvers=frozenset({NIGHT}))
    def test_after_minutes_of_silence_the_asker_is_told(self, world: World) -> None:
        world.people.groups[NIGHT] = GROUP_UNREADABLE
        world.ask()
        world.settle()
        for _ in range(6):
            world.wait(60_000)
        outcome = world.outcome()
        assert outcome.code == "people_unreadable"
        assert world.answers == [(ASKER, "refused")]


class TestBudget:
    """Slack allows 20 readings of groups a minute, and 100 of people."""

    def test_no_more_people_are_asked_about_than_are_needed(self) -> None:
        many = frozenset(f"U0{n:04d}" for n in range(200))
        people = FakePeople()
        people.groups[NIGHT] = many
        reading = Reading(people, by=1.0, monotonic=lambda: 0.0)
        assert reading.could_decide(one_pool(3, NIGHT, FIRST), ASKER, str) == ({}, None)
        assert len(people.asked) == 3
        assert people.asked[0] == FIRST

    def test_after_a_limit_nobody_else_is_asked_about(self) -> None:
        people = FakePeople()
        limited = UNREADABLE.model_copy(update={"retry_at": START_MS})
        people.person = lambda user: (people.asked.append(user), limited)[1]  # type: ignore[method-assign, assignment]
        reading = Reading(people, by=1.0, monotonic=lambda: 0.0)
        assert reading.could_decide(one_pool(1, FIRST, SECOND), ASKER, str) == ({ALL: 1}, limited)
        assert people.asked == [FIRST]

    def test_nothing_is_asked_after_the_deadline_of_the_effect(self) -> None:
        people = FakePeople()
        people.groups[NIGHT] = frozenset({FIRST})
        over = Reading(people, by=1.0, monotonic=lambda: 1.0)
        assert over.right(FIRST, None, frozenset({FIRST})) == UNREADABLE
        assert over.could_decide(one_pool(1, FIRST), ASKER, str) == ({ALL: 1}, UNREADABLE)
        assert over.could_decide(one_pool(1, NIGHT), ASKER, str) == ({ALL: 1}, GROUP_UNREADABLE)
        assert (people.asked, people.groups_asked) == ([], [])
