"""The database's clock is set back: what was read before looks new, and does not count as new."""

from __future__ import annotations

from bot.request.model import State
from bot.request.problem import ProblemKind
from bot.request.who_may import Person
from tests.support.world import FIRST, PAIRING, TEAM, World, problem, snapshot

SET_BACK_MS = 5 * 60_000
POLL_MS = 5_000
OTHER = "22222222-2222-3333-4444-555555555555"
GONE = Person(id=FIRST, team=TEAM, deleted=True)


def test_rights_read_before_a_wait_are_read_again_after_it(world: World) -> None:
    """Found by the simulation: the wait ends five minutes late, and by the clock of then the
    reading is some seconds old."""
    request_id = world.pending()
    world.appliance.read_failures = [problem(ProblemKind.UNSENT)]
    world.click(request_id, "approve", FIRST)
    world.settle()
    assert world.state() is State.APPROVED
    world.ms -= SET_BACK_MS
    world.people.persons[FIRST] = GONE
    world.wait(SET_BACK_MS + 6_000)
    assert world.appliance.deletes == []
    assert world.state() is State.PENDING


def test_a_process_that_froze_meanwhile_gives_its_claim_back(world: World) -> None:
    """By the database's clock no time has passed; by its own it was five minutes."""
    request_id = world.pending()
    reads = 0
    read_to_act = world.appliance.read_to_act

    def freezing(pairing_id: str, by: float) -> object:
        nonlocal reads
        reads += 1
        answer = read_to_act(pairing_id, by)
        if reads == 1:
            world.frozen_ms += SET_BACK_MS
            world.people.persons[FIRST] = GONE
        return answer

    world.appliance.read_to_act = freezing  # type: ignore[method-assign,assignment]
    world.click(request_id, "approve", FIRST)
    world.settle()
    assert reads == 1
    assert world.appliance.deletes == []
    assert world.state() is State.PENDING


def approved(world: World, request_id: str, pairing: str) -> None:
    world.appliance.now, world.appliance.present = snapshot(pairing_id=pairing), True
    world.put(world.ask_event(pairing=pairing), request_id)
    world.settle()
    world.click(request_id, "approve", FIRST)
    world.settle()
    assert world.state(request_id) is State.FOLLOWING


def ends(world: World, request_id: str) -> None:
    world.wait(POLL_MS)
    assert world.state(request_id) is State.SUCCEEDED


def test_a_task_that_began_after_it_is_followed_to_its_end(world: World) -> None:
    approved(world, "AAAA-BBBB", PAIRING)
    world.appliance.end_task()
    ends(world, "AAAA-BBBB")
    world.ms -= SET_BACK_MS
    approved(world, "CCCC-DDDD", OTHER)
    for _ in range(10):
        world.wait(POLL_MS)
    assert world.state("CCCC-DDDD") is State.FOLLOWING
    world.appliance.end_task()
    ends(world, "CCCC-DDDD")
