"""An appliance with a thousand tasks, in pages of a hundred: one is followed to its end.

Once each poll read the whole list. Its pages were counted one by one, so that the minute's calls
ended half-way through it, and it began again: a task that had ended was followed for hours, and no
other request got its card.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.request.model import State
from sandbox.appliance import SimulatedAppliance
from tests.life.outages.appliance_world import ApplianceWorld
from tests.support.world import FIRST, START_MS

TASKS, PAGE = 1_000, 100
FIRST_ID, SECOND_ID = "AAAA-BBBB", "CCCC-DDDD"
SECOND_MS = 1_000
TASK_MS = 90_000


@pytest.fixture
def world() -> Iterator[ApplianceWorld]:
    worlds: list[ApplianceWorld] = []

    def clock() -> float:
        """Of the bot, by which the appliance goes too."""
        return (worlds[0].ms if worlds else START_MS) / 1000

    # The vendor's own limits are in force: 50 calls a minute and session.
    with SimulatedAppliance(clock=clock, task_seconds=TASK_MS / 1000) as server:
        made = ApplianceWorld(server)
        worlds.append(made)
        for number in range(TASKS):
            server.add_task(f"something else, no. {number}")
        server.set_largest_page(PAGE)
        server.add_pairing("berlin", "vienna", pairing_id="e1e1e1e1-0000-0000-0000-000000000001")
        yield made
        made.close()


def until(world: ApplianceWorld, request_id: str, state: State, within_s: int) -> float:
    """The seconds that it took."""
    began = world.ms
    while world.get(request_id).state is not state:
        assert world.ms - began < within_s * 1000, f"still {world.get(request_id).state}"
        world.wait(SECOND_MS)
    return (world.ms - began) / 1000


def polls(world: ApplianceWorld) -> int:
    return sum(c.method == "GET" and c.path.startswith("/tasks/") for c in world.server.calls)


def lists(world: ApplianceWorld) -> int:
    return sum(c.method == "GET" and c.path == "/tasks" for c in world.server.calls)


def test_a_task_among_a_thousand_is_followed_and_others_get_their_card(
    world: ApplianceWorld,
) -> None:
    world.ask_for_pairing()
    world.approve()
    world.settle()
    until(world, FIRST_ID, State.FOLLOWING, within_s=60)
    pages = lists(world)
    assert pages == TASKS / PAGE + 1, "each page once, and one call to learn how large they may be"
    task = world.get().task
    assert task is not None

    world.put(world.ask_event(pairing="e1e1e1e1-0000-0000-0000-000000000001"), SECOND_ID)
    world.settle()
    assert until(world, SECOND_ID, State.PENDING, within_s=60) < 60
    assert world.get().state is State.FOLLOWING

    until(world, FIRST_ID, State.SUCCEEDED, within_s=TASK_MS // 1000 + 30)
    assert polls(world) <= TASK_MS / 5_000 + 2
    assert lists(world) == pages, "the list was read before the DELETE alone"
    assert world.get().notices == ()
    assert all(call.status != 429 for call in world.server.calls)

    world.click(SECOND_ID, "approve", FIRST)
    world.settle()
    until(world, SECOND_ID, State.FOLLOWING, within_s=60)
    # The first request's own task stands on a page of its own.
    assert lists(world) == 2 * pages + 1
