"""A process that freezes with a reading in its hand: what it read has grown old, not new."""

from __future__ import annotations

import pytest

from bot.request.model import State
from bot.request.who_may import Person, Verdict
from bot.store.queues import Queue
from tests.support.world import FIRST, TEAM, FakePeople, World, snapshot

FROZEN_MS = 5 * 60_000


def test_a_right_that_was_lost_meanwhile_does_not_count(world: World) -> None:
    request_id = world.pending()
    asked = 0

    class Freezing(FakePeople):
        def person(self, user: str) -> Person | Verdict:
            nonlocal asked
            asked += 1
            if asked == 2:  # before the intent; the first time is the click itself
                world.ms += FROZEN_MS
            return Person(id=user, team=TEAM, deleted=asked > 2)

    world.people = Freezing()
    world.worker = world.new_worker()
    world.click(request_id, "approve", FIRST)
    world.settle()
    assert asked == 3
    assert world.appliance.deletes == []
    assert world.state() is State.PENDING


def test_an_old_reading_of_rights_decides_no_later_click(world: World) -> None:
    """A copy freezes with a yes in its hand. Another one takes over and says no, since the right is
    gone; then it is pressed again, and the first one wakes up."""
    request_id = world.pending()
    world.click(request_id, "approve", FIRST)

    class Freezing(FakePeople):
        def person(self, user: str) -> Person | Verdict:
            yes = Person(id=user, team=TEAM)
            world.people = FakePeople({FIRST: Person(id=FIRST, team=TEAM, deleted=True)})
            world.ms += 60_000
            world.new_worker().step(Queue.DECIDE)
            world.click(request_id, "deny", FIRST)
            return yes

    world.people = Freezing()
    world.new_worker().step(Queue.DECIDE)
    world.worker = world.new_worker()
    world.settle()
    request = world.get()
    assert (request.state, request.approvals, request.denial) == (State.PENDING, (), None)
    assert world.actions().count("click_refused") == 2


def test_a_pairing_that_changed_meanwhile_is_not_broken(world: World) -> None:
    request_id = world.pending()
    reads = 0
    read_to_act = world.appliance.read_to_act

    def freezing(pairing_id: str, by: float) -> object:
        nonlocal reads
        reads += 1
        answer = read_to_act(pairing_id, by)
        if reads == 1:
            world.ms += FROZEN_MS
            world.appliance.now = snapshot(count=9, replications_digest="other")
        return answer

    world.appliance.read_to_act = freezing  # type: ignore[method-assign,assignment]
    world.click(request_id, "approve", FIRST)
    world.settle()
    assert reads == 2
    assert world.appliance.deletes == []
    assert world.state() is State.CHANGED


@pytest.mark.parametrize("ms", [12_000, FROZEN_MS])
def test_a_pairing_that_changed_while_the_delete_was_prepared_is_not_broken(
    world: World, ms: int
) -> None:
    """A slow log-in, or a freeze in it: the look into the database before the intent sees no
    change, since nobody else has touched the row."""
    request_id = world.pending()
    prepared = 0

    def slow(pairing_id: str, by: float) -> None:
        nonlocal prepared
        prepared += 1
        world.ms += ms
        world.appliance.now = snapshot(count=9, replications_digest="other")

    world.appliance.prepare_delete = slow  # type: ignore[method-assign,assignment]
    world.click(request_id, "approve", FIRST)
    world.settle()
    assert prepared == 1
    assert world.appliance.deletes == []
    assert world.state() is State.CHANGED


def test_nor_when_only_the_process_has_seen_the_time_pass(world: World) -> None:
    """By the database's clock, which was set back, preparing took no time."""
    request_id = world.pending()

    def slow(pairing_id: str, by: float) -> None:
        world.frozen_ms += FROZEN_MS
        world.appliance.now = snapshot(count=9, replications_digest="other")

    world.appliance.prepare_delete = slow  # type: ignore[method-assign,assignment]
    world.click(request_id, "approve", FIRST)
    world.settle()
    assert world.frozen_ms == FROZEN_MS
    assert world.appliance.deletes == []
    assert world.state() is State.CHANGED
