"""Every row of the contract's table "What each answer to the DELETE leads to"."""

from __future__ import annotations

from typing import Any

import pytest

from bot.request.events import DeleteAccepted, DeleteAnswered, DeleteNotAccepted, Event
from bot.request.messages import Answer, messages
from bot.request.model import Request, State, TaskView
from bot.request.problem import ProblemKind
from bot.request.who_may import Person
from bot.slack.draw.message import draw, draw_answer
from bot.store.queues import Queue
from tests.support.world import ASKER, FIRST, PAIRING, TEAM, World, problem

SECOND_MS = 1_000
TIMEOUTS_MS = 20_000
"""Twice VR_TIMEOUT_SECONDS of the small world: how long looks go on."""


def decided(world: World, *outcomes: Event) -> Request:
    """One approved request whose DELETEs bring these outcomes in turn."""
    world.appliance.delete_outcomes += outcomes
    request_id = world.pending()
    world.click(request_id, "approve", FIRST)
    world.settle()
    return world.get()


def answered(kind: ProblemKind, **more: object) -> DeleteAnswered:
    return DeleteAnswered(problem=problem(kind, **more))


def not_accepted(kind: ProblemKind, **more: object) -> DeleteNotAccepted:
    return DeleteNotAccepted(problem=problem(kind, **more))


def own_task(status: str = "RUNNING", entity: str | None = f"Pairing:{PAIRING}") -> TaskView:
    return TaskView(id="task:new:1", status=status, entity=entity)


@pytest.mark.parametrize("status", [400, 403])
def test_refused_is_failed_with_the_vendors_words(world: World, status: int) -> None:
    words = {"error_code": "ERR_1", "message": "not now", "op_id": "op-1"}
    request = decided(world, answered(ProblemKind.REFUSED, status=status, **words))
    assert request.state is State.FAILED
    assert request.outcome is not None
    assert request.outcome.problem is not None
    assert request.outcome.problem.model_dump(include=set(words)) == words
    assert len(world.appliance.deletes) == 1


def test_401_once_logs_in_again_and_repeats_once(world: World) -> None:
    request = decided(world, not_accepted(ProblemKind.UNAUTHORIZED, status=401))
    assert request.state is State.FOLLOWING
    assert len(world.appliance.deletes) == 2


def test_a_pairing_that_goes_after_its_delete_was_turned_away(world: World) -> None:
    """Nothing was accepted; that nothing was sent is not true, and would send people after
    somebody else."""
    away = not_accepted(ProblemKind.UNAVAILABLE, status=503)
    request = decided(world, away)
    assert (request.state, request.intent) == (State.APPROVED, None)
    world.appliance.present = False
    world.wait(60_000)
    request = world.get()
    assert request.state is State.CHANGED
    assert len(world.appliance.deletes) == 1
    (final,) = [m for m in messages(request, request.updated_at) if m.slot == "final"]
    said = draw(request, final.slot).text
    assert "Nothing was sent" not in said
    assert "turned it away (HTTP `503`)" in said
    assert "Whether by that call cannot be told" in said
    card = draw(request, "card").text
    assert "nothing was sent" not in card
    assert "nothing was accepted" in card


@pytest.mark.parametrize("later", [ProblemKind.UNSENT, ProblemKind.TOO_LATE])
def test_a_delete_that_was_turned_away_is_not_forgotten_by_the_next_one(
    world: World, later: ProblemKind
) -> None:
    away = not_accepted(ProblemKind.UNAVAILABLE, status=503)
    decided(world, away, not_accepted(later), not_accepted(later))
    world.wait(30_000)
    assert len(world.appliance.deletes) > 1
    world.click(world.get().id, "cancel", ASKER)
    world.settle()
    request = world.get()
    assert request.state is State.CANCELLED
    for said in ("card", "final"):
        assert "othing was sent" not in draw(request, said).text
    for code in ("cancelled", "too_late", "already_decided"):
        words = draw_answer(Answer(event=1, code=code), request).text
        assert "Nothing was sent" not in words
        assert "turned it away (HTTP `503`)" in words


def test_nor_where_the_approval_does_not_hold(world: World) -> None:
    decided(world, not_accepted(ProblemKind.UNAVAILABLE, status=503))
    world.people.persons[FIRST] = Person(id=FIRST, team=TEAM, deleted=True)
    world.wait(60_000)
    request = world.get()
    assert request.state is State.PENDING
    assert "turned it away (HTTP `503`)" in draw(request, "progress").text
    assert "Nothing was sent" not in draw(request, "progress").text


def test_a_process_that_is_always_held_up_waits_between_two_tries_and_says_why(
    world: World,
) -> None:
    """Such as on a disk whose commits take longer than the second between intent and DELETE."""
    held_up = [not_accepted(ProblemKind.TOO_LATE) for _ in range(60)]
    decided(world, *held_up)
    began, tried = world.ms, len(world.appliance.deletes)
    assert tried == 2  # a freeze is over: once more at once
    while world.ms < began + 60_000:
        world.wait(5_000)
    assert len(world.appliance.deletes) <= tried + 12
    assert [n.code for n in world.get().notices] == ["waits_to_send"]
    world.wait(600_000)
    request = world.get()
    assert request.state is State.EXPIRED
    assert request.outcome is not None
    assert request.outcome.problem is not None


def test_a_retry_after_of_nothing_is_no_leave_to_hammer(world: World) -> None:
    at_once = [not_accepted(ProblemKind.LIMITED, status=429, retry_at=world.ms) for _ in range(50)]
    decided(world, *at_once)
    assert len(world.appliance.deletes) == 1
    world.wait(5_000)
    assert len(world.appliance.deletes) == 2


@pytest.mark.parametrize("nobody", [None, "", " ", f"HmsPairing:{PAIRING}:0f7a"])
def test_a_500_and_a_new_task_that_names_nobody_calls_a_person(
    world: World, nobody: str | None
) -> None:
    """It may be ours, at work: to say that it has failed would be to guess."""
    delete = world.appliance.delete

    def begins_something(*args: Any, **more: Any) -> Any:
        world.appliance.tasks.append(own_task(entity=nobody))
        return delete(*args, **more)

    world.appliance.delete = begins_something  # type: ignore[method-assign]
    decided(world, answered(ProblemKind.SERVER_ERROR, status=500))
    for _ in range(5):
        world.wait(5_000)
    request = world.get()
    assert request.state is State.ATTENTION
    assert request.outcome is not None
    assert request.outcome.code == "outcome_unknown"
    assert len(world.appliance.deletes) == 1


def test_401_twice_is_failed(world: World) -> None:
    refused = not_accepted(ProblemKind.UNAUTHORIZED, status=401)
    request = decided(world, refused, refused)
    assert request.state is State.FAILED
    assert len(world.appliance.deletes) == 2
    world.wait(600_000)
    assert len(world.appliance.deletes) == 2


@pytest.mark.parametrize("kind", [ProblemKind.LIMITED, ProblemKind.UNAVAILABLE])
def test_limited_waits_as_long_as_it_says_and_repeats(world: World, kind: ProblemKind) -> None:
    retry_at = world.ms + 90_000
    request = decided(world, not_accepted(kind, status=429, retry_at=retry_at))
    assert request.state is State.APPROVED
    world.wait(89_000)
    assert len(world.appliance.deletes) == 1
    world.wait(1_001)
    assert world.state() is State.FOLLOWING
    assert len(world.appliance.deletes) == 2


def test_limited_without_a_time_waits_a_minute(world: World) -> None:
    decided(world, not_accepted(ProblemKind.LIMITED, status=429))
    world.wait(59_999)
    assert len(world.appliance.deletes) == 1
    world.wait(1)
    assert len(world.appliance.deletes) == 2


@pytest.mark.parametrize("kind", [ProblemKind.LIMITED, ProblemKind.UNSENT])
def test_repeating_ends_with_the_old_deadline(world: World, kind: ProblemKind) -> None:
    again = [not_accepted(kind) for _ in range(500)]
    deadline = decided(world, *again).execute_by
    for _ in range(121):
        world.wait(5_000)
    request = world.get()
    assert request.state is State.EXPIRED
    assert request.execute_by == deadline
    sent = len(world.appliance.deletes)
    world.wait(600_000)
    assert len(world.appliance.deletes) == sent


def test_404_and_the_pairing_gone_is_succeeded(world: World) -> None:
    world.appliance.delete_outcomes.append(answered(ProblemKind.NOT_FOUND, status=404))
    request_id = world.pending()
    world.click(request_id, "approve", FIRST)
    world.worker.step(Queue.DECIDE)
    claim = world.requests.claim(Queue.ACT)
    assert claim is not None
    # It goes in the moment between the last reading and the DELETE.
    world.appliance.prepare_failures = []
    original = world.appliance.delete

    def delete(*args: object, **kwargs: object) -> object:
        world.appliance.present = False
        return original(*args, **kwargs)  # type: ignore[arg-type]

    world.appliance.delete = delete  # type: ignore[method-assign, assignment]
    world.worker.driver.drive(claim)
    assert world.state() is State.SUCCEEDED
    assert world.get().outcome is not None
    assert world.get().outcome.code == "gone_untold"  # type: ignore[union-attr]


def test_404_and_the_pairing_still_there_is_failed(world: World) -> None:
    request = decided(world, answered(ProblemKind.NOT_FOUND, status=404))
    assert request.state is State.FAILED


def test_500_with_a_new_task_is_followed(world: World) -> None:
    request_id = world.pending()
    world.appliance.delete_outcomes.append(answered(ProblemKind.SERVER_ERROR, status=500))
    original = world.appliance.delete

    def delete(*args: object, **kwargs: object) -> object:
        world.appliance.tasks.append(own_task())
        return original(*args, **kwargs)  # type: ignore[arg-type]

    world.appliance.delete = delete  # type: ignore[method-assign, assignment]
    world.click(request_id, "approve", FIRST)
    world.settle()
    assert world.state() is State.FOLLOWING
    assert world.get().task == own_task()


def test_500_alone_is_failed_at_the_first_look(world: World) -> None:
    request = decided(world, answered(ProblemKind.SERVER_ERROR, status=500, op_id="op-9"))
    assert request.state is State.FAILED
    assert request.outcome is not None
    assert request.outcome.problem is not None
    assert request.outcome.problem.op_id == "op-9"


@pytest.mark.parametrize("kind", [ProblemKind.UNANSWERED, ProblemKind.NOT_UNDERSTOOD])
class TestFateUnknown:
    def test_a_task_of_before_is_never_adopted(self, world: World, kind: ProblemKind) -> None:
        world.appliance.tasks.append(own_task())
        assert decided(world, answered(kind)).state is State.DELETING

    @pytest.mark.parametrize("entity", [PAIRING, f"Pairing:{PAIRING}"])
    def test_a_new_task_is_followed(self, world: World, kind: ProblemKind, entity: str) -> None:
        decided(world, answered(kind))
        world.appliance.tasks.append(own_task(entity=entity))
        world.wait(5_000)
        assert world.state() is State.FOLLOWING

    def test_gone_is_succeeded(self, world: World, kind: ProblemKind) -> None:
        decided(world, answered(kind))
        world.appliance.present = False
        world.wait(5_000)
        assert world.state() is State.SUCCEEDED

    def test_attention_after_looks_over_twice_the_timeout(
        self, world: World, kind: ProblemKind
    ) -> None:
        decided(world, answered(kind))
        for _ in range(3):
            world.wait(5_000)
        assert world.state() is State.DELETING
        world.wait(5_000)
        assert world.state() is State.ATTENTION
        assert len(world.appliance.deletes) == 1

    def test_a_nameless_task_calls_a_person(self, world: World, kind: ProblemKind) -> None:
        decided(world, answered(kind))
        world.appliance.tasks.append(own_task(entity=None))
        for _ in range(4):
            world.wait(5_000)
        request = world.get()
        assert request.state is State.ATTENTION
        assert request.outcome is not None
        assert request.outcome.code == "outcome_unknown"

    def test_looks_go_on_while_the_appliance_is_away(self, world: World, kind: ProblemKind) -> None:
        away = problem(ProblemKind.UNSENT)
        world.appliance.look_failures += [away] * 100
        decided(world, answered(kind))
        for _ in range(90):
            world.wait(5_000)
        assert world.state() is State.DELETING
        assert [n.code for n in world.get().notices] == ["waits_to_look"]
        world.appliance.look_failures.clear()
        world.appliance.present = False
        world.wait(5_000)
        assert world.state() is State.SUCCEEDED
        assert [n.code for n in world.get().notices] == ["waits_to_look", "goes_on"]

    def test_follow_ttl_ends_the_looks(self, world: World, kind: ProblemKind) -> None:
        decided(world, answered(kind))
        world.appliance.look_failures += [problem(ProblemKind.UNSENT)] * 4
        world.wait(86_400_000 - 5_000)
        world.wait(5_000)
        assert world.state() is State.ATTENTION


class TestTheTask:
    def followed(self, world: World) -> Request:
        return decided(world)

    def test_error_with_its_words(self, world: World) -> None:
        self.followed(world)
        world.appliance.end_task(
            "ERROR", gone=False, error_message="cannot", error_details="because"
        )
        world.wait(5_000)
        request = world.get()
        assert request.state is State.FAILED
        assert request.task is not None
        assert (request.task.error_message, request.task.error_details) == ("cannot", "because")

    @pytest.mark.parametrize("status", ["ERROR", "CANCELLED"])
    def test_error_without_words_and_cancelled(self, world: World, status: str) -> None:
        self.followed(world)
        world.appliance.end_task(status, gone=False)
        world.wait(5_000)
        assert world.state() is State.FAILED

    def test_an_unknown_status_is_not_an_end(self, world: World) -> None:
        self.followed(world)
        world.appliance.end_task("PAUSED", gone=False)
        world.wait(5_000)
        assert world.state() is State.FOLLOWING

    def test_success_with_the_pairing_still_there(self, world: World) -> None:
        self.followed(world)
        world.appliance.end_task("SUCCESS", gone=False)
        for _ in range(5):
            world.wait(5_000)
        request = world.get()
        assert request.state is State.ATTENTION
        assert request.outcome is not None
        assert request.outcome.code == "end_unknown"

    def test_success_and_gone_a_little_later(self, world: World) -> None:
        self.followed(world)
        world.appliance.end_task("SUCCESS", gone=False)
        world.wait(5_000)
        world.appliance.present = False
        world.wait(5_000)
        assert world.state() is State.SUCCEEDED

    def test_a_lost_task_and_the_pairing_there(self, world: World) -> None:
        self.followed(world)
        world.appliance.tasks.clear()
        for _ in range(5):
            world.wait(5_000)
        request = world.get()
        assert request.state is State.ATTENTION
        assert request.outcome is not None
        assert request.outcome.code == "end_unknown"

    def test_a_lost_task_that_comes_back(self, world: World) -> None:
        self.followed(world)
        tasks = list(world.appliance.tasks)
        world.appliance.tasks.clear()
        world.wait(5_000)
        world.appliance.tasks += tasks
        for _ in range(6):
            world.wait(5_000)
        assert world.state() is State.FOLLOWING

    def test_a_task_missing_once_and_then_an_appliance_that_is_away(self, world: World) -> None:
        """Listings that fail do not count: afterwards the list is asked again, and has it."""
        self.followed(world)
        tasks = list(world.appliance.tasks)
        world.appliance.tasks.clear()
        world.wait(5_000)
        world.appliance.tasks += tasks
        world.appliance.look_failures += [problem(ProblemKind.UNSENT)] * 6
        for _ in range(12):
            world.wait(5_000)
        assert world.appliance.look_failures == []
        assert world.state() is State.FOLLOWING

    def test_a_lost_task_and_the_pairing_gone(self, world: World) -> None:
        self.followed(world)
        world.appliance.tasks.clear()
        world.appliance.present = False
        for _ in range(5):
            world.wait(5_000)
        assert world.state() is State.SUCCEEDED

    def test_follow_ttl(self, world: World) -> None:
        self.followed(world)
        world.wait(86_400_000 - 5_000)
        assert world.state() is State.FOLLOWING
        world.wait(5_000)
        assert world.state() is State.ATTENTION

    def test_an_answer_with_a_task_that_has_ended(self, world: World) -> None:
        world.appliance.present = True
        ended = DeleteAccepted(task=own_task("ERROR"))
        assert decided(world, ended).state is State.FAILED


def test_nothing_unsent_ever_leaves_approved_early(world: World) -> None:
    request = decided(world, not_accepted(ProblemKind.UNSENT))
    assert request.state is State.APPROVED
    world.wait(5_000)
    assert world.state() is State.FOLLOWING
    assert len(world.appliance.deletes) == 2
