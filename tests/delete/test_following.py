"""A running task is asked for by its id, as often as the budget has room for all that are followed,
and the list of tasks is read only where nothing else can tell."""

from __future__ import annotations

import pytest

from bot.request.events import DeleteAccepted, DeleteAnswered
from bot.request.following import pause_between_polls_ms
from bot.request.model import State
from bot.request.problem import ProblemKind
from bot.request.who_may import SiteTerms
from tests.support.world import FIRST, PAIRING, World, problem, snapshot

POLL_MS = 5_000
TTL_MS = 86_400_000


def site(calls_per_minute: int = 40) -> dict[str, SiteTerms]:
    terms = SiteTerms(
        appliance="vr.example.net",
        poll_ms=POLL_MS,
        timeout_ms=10_000,
        calls_per_minute=calls_per_minute,
    )
    return {"default": terms}


def followed(world: World, number: int = 0) -> str:
    """One request more whose task runs."""
    pairing, request_id = f"p-{number}", f"AAAA-{number:04d}"
    world.appliance.now = snapshot(pairing_id=pairing)
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
    assert world.appliance.listings == 1
    assert polls_in(world, 60_000) == 12
    task = world.get(request_id).task
    assert task is not None
    assert set(world.appliance.polls) == {task.id}
    world.appliance.end_task()
    world.wait(POLL_MS)
    assert world.state(request_id) is State.SUCCEEDED
    assert world.appliance.listings == 1


@pytest.mark.parametrize(("many", "each_ms"), [(1, 5_000), (2, 6_000), (3, 9_000), (10, 30_000)])
def test_polls_stretch_with_the_number_of_tasks(world: World, many: int, each_ms: int) -> None:
    """At 40 calls a minute all together take 20 of them at most."""
    for number in range(many):
        followed(world, number)
    world.wait(60_000)
    assert polls_in(world, 300_000) <= many * 300_000 // each_ms + many
    assert polls_in(world, 300_000) <= 100 + many


@pytest.mark.parametrize(("calls", "pause_ms"), [(20, 6_000), (40, 5_000), (30, 5_000)])
def test_by_the_budget(calls: int, pause_ms: int) -> None:
    assert pause_between_polls_ms(site(calls)["default"], 1) == pause_ms
    assert pause_between_polls_ms(site(calls)["default"], 100) == 100 * 120_000 // calls


def test_another_copy_counts_what_all_of_them_follow(world: World) -> None:
    for number in range(4):
        followed(world, number)
    world.worker = world.new_worker()
    world.wait(60_000)
    assert polls_in(world, 120_000) <= 120_000 * 4 // 12_000 + 4


def test_no_room_in_the_budget_is_no_news(world: World) -> None:
    request_id = followed(world)
    for _ in range(80):
        full = problem(ProblemKind.OVER_BUDGET, retry_at=world.ms + 61_000)
        world.appliance.look_failures.append(full)
        world.wait(61_000)
    request = world.get(request_id)
    assert request.notices == ()
    assert request.waiting is None
    assert "waits" not in world.actions()
    world.appliance.end_task()
    world.wait(61_000)
    assert world.state(request_id) is State.SUCCEEDED


# ---- after an answer that was lost ---------------------------------------------------------------


def lost(kind: ProblemKind = ProblemKind.UNANSWERED) -> DeleteAnswered:
    return DeleteAnswered(problem=problem(kind))


def task(task_id: str = "task:new:1", status: str = "RUNNING") -> object:
    return DeleteAccepted.model_validate(
        {"task": {"id": task_id, "status": status, "entity": PAIRING.upper()}}
    ).task


def approved(world: World, *outcomes: DeleteAnswered) -> str:
    world.appliance.delete_outcomes += outcomes
    request_id = world.pending()
    world.click(request_id, "approve", FIRST)
    world.settle()
    return request_id


def test_the_list_finds_the_task_and_then_its_id_is_enough(world: World) -> None:
    request_id = approved(world, lost())
    listings = world.appliance.listings
    world.appliance.tasks.append(task())  # type: ignore[arg-type]
    world.wait(POLL_MS)
    assert world.appliance.listings == listings + 1
    request = world.get(request_id)
    assert (request.state, request.task_adopted) == (State.FOLLOWING, True)
    world.wait(60_000)
    assert world.appliance.listings == listings + 1
    assert set(world.appliance.polls) == {"task:new:1"}


def test_the_answer_that_comes_after_all_makes_the_task_ours(world: World) -> None:
    request_id = approved(world, lost())
    world.appliance.tasks.append(task())  # type: ignore[arg-type]
    world.wait(POLL_MS)
    world.put(DeleteAccepted(task=task()), request_id)  # type: ignore[arg-type]
    world.settle()
    request = world.get(request_id)
    assert (request.state, request.task_adopted) == (State.FOLLOWING, False)
    assert world.actions().count("accepted") == 1


def test_after_a_404_no_task_is_ours(world: World) -> None:
    """Somebody reconnects the pairing at the same moment, and that fails."""
    delete = world.appliance.delete

    def meanwhile(*args: object, **named: object) -> object:
        world.appliance.tasks.append(task(status="ERROR"))  # type: ignore[arg-type]
        return delete(*args, **named)  # type: ignore[arg-type]

    world.appliance.delete = meanwhile  # type: ignore[method-assign, assignment]
    request_id = approved(world, lost(ProblemKind.NOT_FOUND))
    request = world.get(request_id)
    assert request.state is State.FAILED
    assert request.task is None
    assert request.outcome is not None
    assert request.outcome.code == "delete_refused"
    assert world.appliance.listings == 1, "it was read before the DELETE, and not again"


def test_nor_when_somebody_looks_again(world: World) -> None:
    request_id = world.pending()
    world.appliance.delete_outcomes.append(lost(ProblemKind.NOT_FOUND))
    world.appliance.look_failures += [problem(ProblemKind.UNSENT)] * 3
    world.click(request_id, "approve", FIRST)
    world.settle()
    world.wait(TTL_MS)
    while world.state(request_id) is State.DELETING:
        world.appliance.look_failures.append(problem(ProblemKind.UNSENT))
        world.wait(POLL_MS)
    assert world.state(request_id) is State.ATTENTION
    world.appliance.look_failures.clear()
    world.appliance.tasks.append(task(status="ERROR"))  # type: ignore[arg-type]
    world.click(request_id, "look", FIRST)
    world.settle()
    assert world.state(request_id) is State.ATTENTION
    assert world.answers[-1][1] == "look_still_there"
    assert world.get(request_id).task is None
