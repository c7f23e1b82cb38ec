"""The database's clock is set back: what was read before looks new, and does not count as new."""

from __future__ import annotations

from bot.core.problem import ProblemKind
from bot.core.request import State
from bot.core.who_may import Person
from tests.worker.world import FIRST, TEAM, World, problem

SET_BACK_MS = 5 * 60_000
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
    frozen_ms = 0
    reads = 0
    read_to_act = world.appliance.read_to_act

    def freezing(pairing_id: str, by: float) -> object:
        nonlocal frozen_ms, reads
        reads += 1
        answer = read_to_act(pairing_id, by)
        if reads == 1:
            frozen_ms += SET_BACK_MS
            world.people.persons[FIRST] = GONE
        return answer

    world.appliance.read_to_act = freezing  # type: ignore[method-assign,assignment]
    lives = world.worker.lives
    object.__setattr__(lives, "monotonic", lambda: (world.ms + frozen_ms) / 1000)
    world.click(request_id, "approve", FIRST)
    world.settle()
    assert reads == 1
    assert world.appliance.deletes == []
    assert world.state() is State.PENDING
