"""A running task is asked for by its id, as often as the budget has room for all that are followed,
and the list of tasks is read only where nothing else can tell."""

from __future__ import annotations

from bisect import bisect_left
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.request.after_delete import names_pairing
from bot.request.events import DeleteAccepted, DeleteAnswered
from bot.request.following import pause_to_next_poll_ms
from bot.request.model import State
from bot.request.problem import ProblemKind
from bot.request.task import TaskView
from bot.request.who_may import SiteTerms
from tests.support.world import FIRST, PAIRING, POLL_MS, START_MS, World, problem, snapshot

TTL_MS = 86_400_000
LOST = DeleteAnswered(problem=problem(ProblemKind.UNANSWERED))
NO_SUCH = DeleteAnswered(problem=problem(ProblemKind.NOT_FOUND))


def followed(world: World, number: int = 0) -> str:
    """One request more whose task runs."""
    pairing, request_id = f"p-{number}", f"AAAA-{number:04d}"
    world.appliance.now = snapshot(id=pairing)
    world.put(world.ask_event(pairing=pairing), request_id)
    world.settle()
    world.click(request_id, "approve", FIRST)
    world.settle()
    assert world.state(request_id) is State.FOLLOWING
    return request_id


def polls_in(world: World, ms: int, step: int = 1_000) -> int:
    before = len(world.appliance.polls)
    for _ in range(ms // step):
        world.wait(step)
    return len(world.appliance.polls) - before


def test_by_its_id_and_the_list_is_read_before_the_delete_alone(world: World) -> None:
    request_id = followed(world)
    assert polls_in(world, 60_000) == 12
    task = world.get(request_id).task
    assert task is not None
    assert set(world.appliance.polls) == {task.id}
    world.appliance.end_task()
    world.wait(POLL_MS)
    assert world.state(request_id) is State.SUCCEEDED
    assert world.appliance.listings == 1


@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize(("many", "each_ms"), [(1, 5_000), (3, 9_000), (10, 30_000)])
def test_polls_stretch_with_the_number_of_tasks(
    world: World, many: int, each_ms: int, copies: int
) -> None:
    """At 40 calls a minute all together take 20 of them at most, whichever copy follows them."""
    for number in range(many):
        followed(world, number)
    if copies > 1:
        world.worker = world.new_worker()
    world.wait(60_000)
    assert polls_in(world, 300_000) <= min(100, many * 300_000 // each_ms) + many


@given(many=st.integers(1, 60), calls=st.integers(20, 200), takes_ms=st.integers(0, 500))
def test_no_minute_has_more_polls_than_half_of_the_budget(
    many: int, calls: int, takes_ms: int
) -> None:
    """However many are due at once, as after a restart: but for that first moment."""
    site = SiteTerms(appliance="vr", poll_ms=POLL_MS, timeout_ms=10_000, calls_per_minute=calls)
    round_ms = max(POLL_MS, many * 120_000 * 1.05 / calls)
    polled = []
    for place in range(many):
        now = START_MS + place
        while now < START_MS + 3 * round_ms + 120_000:
            pause_ms = pause_to_next_poll_ms(site, place, many, now)
            assert POLL_MS <= pause_ms <= 1.5 * round_ms + POLL_MS
            now += pause_ms
            polled.append(now)
            now += takes_ms * (place % 2)
    polled.sort()
    for first, at in enumerate(polled):
        assert bisect_left(polled, at + 60_000) - first <= ceil(calls / 2)


def test_no_room_in_the_budget_is_no_news(world: World) -> None:
    """A minute of our own limit says nothing of the task, however often it comes."""
    world.approved()
    for _ in range(80):
        room_at = world.ms + 61_000
        world.appliance.look_failures.append(problem(ProblemKind.OVER_BUDGET, retry_at=room_at))
        world.poll()
        assert world.get().not_before == room_at
        world.ms = room_at
        world.settle()
    assert (world.notices(), world.get().waiting) == ([], None)
    assert "waits" not in world.actions()
    world.appliance.end_task()
    assert world.poll(2).state is State.SUCCEEDED


# ---- after an answer that was lost ---------------------------------------------------------------


def task(status: str = "RUNNING") -> TaskView:
    return TaskView(id="task:new:1", status=status, entity=PAIRING)


def test_the_answer_that_comes_after_all_makes_the_task_ours(world: World) -> None:
    request_id = world.approved(LOST).id
    world.appliance.tasks.append(task())
    world.poll()
    world.put(DeleteAccepted(task=task()), request_id)
    world.settle()
    request = world.get(request_id)
    assert (request.state, request.task_adopted) == (State.FOLLOWING, False)
    assert world.actions().count("accepted") == 1


def test_after_a_404_no_task_is_ours(world: World) -> None:
    """Somebody reconnects the pairing at the same moment, and that fails."""
    world.appliance.meanwhile["delete"] = lambda: world.appliance.tasks.append(task("ERROR"))
    assert world.approved(NO_SUCH).task is None
    assert world.end() == (State.FAILED, "delete_refused")
    assert world.appliance.listings == 1, "it was read before the DELETE, and not again"


def test_nor_when_somebody_looks_again(world: World) -> None:
    world.appliance.look_failures += [problem(ProblemKind.UNSENT)] * 10
    request_id = world.approved(NO_SUCH).id
    world.wait(TTL_MS)
    assert world.poll(2).state is State.ATTENTION
    world.appliance.look_failures.clear()
    world.appliance.tasks.append(task("ERROR"))
    world.click(request_id, "look", FIRST)
    world.settle()
    assert (world.state(), world.get().task) == (State.ATTENTION, None)
    assert world.answers[-1] == (FIRST, "look_still_there")


# ---- whose task it is ----------------------------------------------------------------------------

TYPED = f"HmsPairing:{PAIRING}:5d0c"
"""An id that is made of parts itself."""


def about(entity: str | None, pairing_id: str = PAIRING) -> bool:
    return names_pairing(TaskView(id="t", status="RUNNING", entity=entity), pairing_id)


@pytest.mark.parametrize(
    ("entity", "pairing_id"),
    [
        *[(PAIRING, PAIRING), (f"Pairing:{PAIRING}", PAIRING), (f"  {PAIRING} ", PAIRING)],
        *[(entity.upper(), "0f7a-aaaa") for entity in ("0f7a-aaaa", "pairing:0f7a-aaaa")],
        *[(TYPED, TYPED), (f"Pairing:{TYPED}", TYPED)],
    ],
)
def test_it_names_the_pairing(entity: str, pairing_id: str) -> None:
    assert about(entity, pairing_id)


@pytest.mark.parametrize(
    "entity",
    [
        *[None, "", " ", ":", PAIRING[:-1], f"{PAIRING}0", f"vm:{PAIRING[:-1]}2", f"x{PAIRING}:y"],
        *[TYPED, f"vm:vm-80:{PAIRING}"],
    ],
)
def test_it_names_somebody_else_or_nobody(entity: str | None) -> None:
    assert not about(entity)
