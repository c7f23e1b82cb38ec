"""A stop that begins in the middle of a claim: what is in hand is kept, and nothing new is begun.

The worst would be a DELETE that is sent in the last second: its answer comes when nobody is there
any more, and whoever comes next can only look.
"""

from __future__ import annotations

import pytest

from bot.request.model import State
from bot.store.queues import Queue
from tests.support.world import FIRST, POLL_MS, World


def stops_during(world: World, call: str) -> None:
    world.appliance.meanwhile[call] = lambda: setattr(world, "stopping", True)


def decided(world: World) -> None:
    """And worked on, as far as a stop lets it go."""
    world.click(world.pending(), "approve", FIRST)
    world.worker.step(Queue.DECIDE)
    world.worker.step(Queue.ACT)


def comes_back(world: World) -> None:
    """Another process: without any wait, since nothing is held by a lease."""
    world.stopping = False
    world.worker = world.new_worker()
    world.settle()


@pytest.mark.parametrize("call", ["read_to_act", "prepare_delete"])
def test_no_delete_is_sent_once_a_stop_has_begun(world: World, call: str) -> None:
    stops_during(world, call)
    decided(world)
    assert world.stopping
    assert world.appliance.deletes == []
    assert world.state() is State.APPROVED
    assert "intent" not in world.actions()
    comes_back(world)
    assert len(world.appliance.deletes) == 1
    assert world.state() is State.FOLLOWING


def test_the_answer_to_a_delete_is_stored_and_not_followed(world: World) -> None:
    stops_during(world, "delete")
    decided(world)
    assert world.state() is State.FOLLOWING
    assert "accepted" in world.actions()
    assert world.appliance.polls == []
    world.appliance.end_task()
    world.ms += POLL_MS
    comes_back(world)
    assert world.state() is State.SUCCEEDED
    assert len(world.appliance.deletes) == 1


def test_the_last_word_of_what_was_in_hand_is_stored(world: World) -> None:
    """It is posted by whoever comes next."""
    world.approved()
    world.appliance.end_task()
    world.ms += POLL_MS
    stops_during(world, "read_presence")
    world.worker.step(Queue.ACT)
    assert (world.stopping, world.state()) == (True, State.SUCCEEDED)
    while world.post():
        pass
    assert [slot for _, slot, _ in world.posted].count("final") == 1


def test_a_check_is_not_begun_and_waits_for_no_lease(world: World) -> None:
    request_id = world.ask()
    world.stopping = True
    for _ in range(2):
        world.worker.step(Queue.CHECK)
    assert world.people.asked == []
    assert world.state(request_id) is State.CHECKING
    assert world.next_due(Queue.CHECK) == world.ms
    comes_back(world)
    assert world.state(request_id) is State.PENDING
