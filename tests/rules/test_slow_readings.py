"""An appliance or a Slack that answers slowly: what was approved is carried out all the same, or
the thread says why it is not."""

from __future__ import annotations

import pytest

from bot.request.model import State
from bot.request.problem import ProblemKind
from bot.request.who_may import Person, Verdict
from bot.slack.draw.message import draw
from bot.store.queues import Queue
from bot.worker.drive import EFFECT_SHARE, SLOW
from tests.support.world import FIRST, LEASE_MS, FakePeople, World

LONGEST_MS = int(LEASE_MS * EFFECT_SHARE)


class SlowPeople(FakePeople):
    """Each answer takes `ms` once `slow`."""

    def __init__(self, world: World, ms: int) -> None:
        super().__init__()
        self.world, self.ms, self.slow = world, ms, False

    def person(self, user: str) -> Person | Verdict:
        if self.slow:
            self.world.ms += self.ms
        return super().person(user)


def slow_reading(world: World, ms: int) -> list[int]:
    """Every reading before the DELETE takes so long; the list grows with each."""
    reads: list[int] = []
    read_to_act = world.appliance.read_to_act

    def slowly(pairing_id: str, by: float) -> object:
        world.ms += ms
        reads.append(world.ms)
        return read_to_act(pairing_id, by)

    world.appliance.read_to_act = slowly  # type: ignore[method-assign,assignment]
    return reads


@pytest.mark.parametrize("ms", [8_000, 10_500, 12_000, LONGEST_MS])
def test_a_reading_as_long_as_it_may_be_leads_to_the_delete(world: World, ms: int) -> None:
    """Such as of a one-sided break: the session at the remote site, which is gone, is waited for
    until VR_TIMEOUT_SECONDS."""
    world.pending()
    reads = slow_reading(world, ms)
    world.press("approve", FIRST)
    assert len(world.appliance.deletes) == 1
    assert len(reads) == 1
    assert world.state() is State.FOLLOWING
    # For the card, at the click, before the reading, and again where those were old behind it.
    assert world.people.asked.count(FIRST) == (3 if ms <= 10_000 else 4)


def test_what_is_too_slow_for_good_is_told_and_ends_with_its_reason(world: World) -> None:
    people = world.people = SlowPeople(world, 9_000)
    world.worker = world.new_worker()
    request_id = world.pending()
    reads = slow_reading(world, LONGEST_MS)
    world.click(request_id, "approve", FIRST)
    people.slow = True
    began = world.ms
    while world.ms < began + 120_000:
        world.wait(5_000)
    request = world.get()
    assert request.state is State.APPROVED
    assert [(n.code, n.text) for n in request.notices] == [("waits_to_send", SLOW.text)]
    assert SLOW.text.partition(":")[0] in draw(request, "progress").text
    tries = len(people.asked)
    assert tries < 15  # with a pause between two
    world.wait(600_000)
    request = world.get()
    assert request.state is State.EXPIRED
    assert request.outcome is not None
    assert request.outcome.problem is not None
    assert request.outcome.problem.kind is ProblemKind.TOO_LATE
    assert "takes so long" in draw(request, "final").text
    assert world.appliance.deletes == []
    assert reads == []  # nothing is read that would be old before it is used


def test_a_pause_after_slow_readings_ends_with_the_time_to_begin(world: World) -> None:
    """Found by the simulation: it went past the deadline, and the request expired later by as
    much."""
    people = world.people = SlowPeople(world, 9_000)
    world.worker = world.new_worker()
    request_id = world.pending()
    slow_reading(world, LONGEST_MS)
    world.click(request_id, "approve", FIRST)
    people.slow = True
    world.wait(5_000)
    execute_by = world.get().execute_by
    assert execute_by is not None
    world.ms = execute_by - 12_000
    world.settle()
    assert world.state() is State.APPROVED
    assert world.next_due(Queue.ACT) == execute_by
