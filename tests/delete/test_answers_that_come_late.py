"""The answer to a DELETE comes to a row that has gone on without it, or that was set back."""

from __future__ import annotations

import sqlite3
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from bot.request.clicks import LOOK_PAUSE_MS
from bot.request.event_changes import Absorbed
from bot.request.events import DeleteAccepted, DeleteAnswered, DeleteNotAccepted, Event
from bot.request.messages import messages
from bot.request.model import Intent, State
from bot.request.problem import ProblemKind
from bot.request.task import TaskView
from bot.slack.draw.message import draw
from bot.store import audit_trail as trail
from bot.store.saving import Claim
from tests.store.samples import away
from tests.support.world import ASKER, FIRST, LEASE_MS, PAIRING, SECOND, World, problem

LOOKS = 12
NAMELESS = TaskView(id="task:9", status="RUNNING", entity=None)
FORBIDDEN = DeleteAnswered(problem=problem(ProblemKind.REFUSED, status=403, message="no privilege"))
CUT = DeleteAnswered(problem=problem(ProblemKind.UNANSWERED))
HELD_UP = DeleteNotAccepted(problem=problem(ProblemKind.TOO_LATE))
LIMITED = DeleteNotAccepted(problem=problem(ProblemKind.LIMITED, status=429))


# ---- the database comes back without its last commits --------------------------------------------


def loses_all_since(world: World, then: State, tmp_path: Path) -> None:
    """As a server does that takes over from one it had not caught up with: while the DELETE is on
    the wire all is lost that was stored since the request was first in this state."""
    save, save_intent = world.requests.save, world.requests.save_intent
    path, backup = tmp_path / "world.db", tmp_path / "then.db"

    def kept() -> None:
        if not backup.exists():
            with sqlite3.connect(path) as source:
                source.execute("VACUUM INTO ?", (str(backup),))

    def saved(claim: Claim, step: Absorbed) -> Claim:
        if claim.request.state is then is State.PENDING and claim.heard:
            kept()  # the click waits in the inbox
        return save(claim, step)

    def intended(claim: Claim, step: Absorbed) -> Claim:
        kept()
        return save_intent(claim, step)

    def lost() -> None:
        with sqlite3.connect(backup) as source, sqlite3.connect(path) as target:
            source.backup(target)
        assert world.state() is then

    world.requests.save = saved  # type: ignore[method-assign]
    world.requests.save_intent = intended  # type: ignore[method-assign]
    world.appliance.meanwhile["delete"] = lost


@pytest.mark.parametrize("then", [State.APPROVED, State.PENDING])
@pytest.mark.parametrize(
    ("answer", "end"),
    [(None, State.SUCCEEDED), (CUT, State.ATTENTION), (FORBIDDEN, State.FAILED)],
    ids=["taken", "cut", "refused"],
)
def test_what_the_row_has_lost_is_not_sent_again(
    world_on_file: World, tmp_path: Path, then: State, answer: DeleteAnswered | None, end: State
) -> None:
    world = world_on_file
    loses_all_since(world, then, tmp_path)
    world.approved(*([answer] if answer else []))
    world.wait(LEASE_MS)
    if answer is None:
        assert world.state() is State.FOLLOWING
        world.appliance.end_task()
    request = world.poll(LOOKS)
    assert len(world.appliance.deletes) == 1
    assert (request.state, request.clicks) == (end, ())
    (intent,) = [r for r in trail.export(world.db) if r.action == "intent"]
    if then is State.APPROVED:
        assert intent.detail["people"] == [FIRST]


# ---- somebody else has given up looking ----------------------------------------------------------


class Stands(BaseException):
    """The process that sends is cut off there."""


def cut_off(world: World, *tasks: TaskView) -> None:
    """With the answer in hand, after which the appliance has these tasks."""

    def stands(*_: Any, **__: Any) -> Event:
        world.appliance.tasks += tasks
        raise Stands

    world.appliance.delete = stands  # type: ignore[method-assign,assignment]
    with pytest.raises(Stands):
        world.approved()


def given_up(world: World, *tasks: TaskView) -> None:
    """Another copy looks and calls a person."""
    cut_off(world, *tasks)
    assert world.poll(LOOKS).state is State.ATTENTION


def comes(world: World, outcome: Event) -> None:
    if isinstance(outcome, DeleteNotAccepted):
        outcome = outcome.model_copy(update={"intent": world.get().intent})
    world.put(outcome, "AAAA-BBBB")
    world.settle()


def test_the_own_task_goes_before_one_that_was_found_by_looking(world: World) -> None:
    """Somebody else has begun one on the same pairing just before, and that one fails."""
    other = TaskView(id="task:8", status="RUNNING", entity=PAIRING)
    own = TaskView(id="task:9", status="RUNNING", entity=PAIRING)
    cut_off(world, other, own)
    world.wait(LEASE_MS)
    assert world.get().task == other
    comes(world, DeleteAccepted(task=own))
    comes(world, DeleteAccepted(task=own))  # stored twice, as where a commit does not answer
    assert world.get().task == own
    assert world.actions().count("accepted") == 1
    world.appliance.tasks[0] = other.model_copy(update={"status": "ERROR"})
    world.appliance.end_task()
    assert world.poll(LOOKS).state is State.SUCCEEDED


OTHER = TaskView(id="task:8", status="RUNNING", entity=PAIRING)
ABSENT = DeleteAnswered(problem=problem(ProblemKind.NOT_FOUND, status=404))


def taken_for_ours(world: World) -> None:
    """Somebody else's task, found by another copy while the answer is on its way."""
    cut_off(world, OTHER)
    world.wait(LEASE_MS)
    assert (world.state(), world.get().task) == (State.FOLLOWING, OTHER)
    del world.appliance.delete  # type: ignore[method-assign]


def test_what_was_not_accepted_is_sent_again_and_the_task_found_meanwhile_is_not_ours(
    world: World,
) -> None:
    taken_for_ours(world)
    comes(world, LIMITED)
    request = world.get()
    assert (request.state, request.task, request.intent) == (State.APPROVED, None, None)
    assert "not_ours" in world.notices()
    assert world.appliance.deletes == []
    comes(world, LIMITED)  # stored twice
    world.wait(60_000)
    request = world.get()
    assert (request.state, request.task_adopted) == (State.FOLLOWING, False)
    assert len(world.appliance.deletes) == 1
    assert request.intent == Intent(at=world.ms, task_ids=(OTHER.id,))
    comes(world, LIMITED.model_copy(update={"intent": Intent(at=1, task_ids=())}))
    assert world.state() is State.FOLLOWING


def test_it_is_not_sent_again_where_the_pairing_is_gone_by_then(world: World) -> None:
    taken_for_ours(world)
    world.appliance.present = False
    comes(world, LIMITED)
    world.wait(60_000)
    assert (world.state(), world.appliance.deletes) == (State.CHANGED, [])


@pytest.mark.parametrize("outcome", [FORBIDDEN, ABSENT], ids=["refused", "404"])
def test_what_was_refused_ends_though_a_task_was_found_meanwhile(
    world: World, outcome: Event
) -> None:
    taken_for_ours(world)
    comes(world, outcome)
    request = world.poll(LOOKS)
    assert (request.state, request.task) == (State.FAILED, None)
    assert "not_ours" in world.notices()
    assert world.appliance.deletes == []


@pytest.mark.parametrize("outcome", [LIMITED, FORBIDDEN], ids=["not accepted", "refused"])
@pytest.mark.parametrize(
    ("ends", "state", "words"),
    [
        ("SUCCESS", State.SUCCEEDED, "not by this delete"),
        ("ERROR", State.FAILED, "was not carried out"),
        ("lost", State.ATTENTION, "somebody else's"),
    ],
)
def test_whose_work_it_was_is_corrected_after_the_end(
    world: World, outcome: Event, ends: str, state: State, words: str
) -> None:
    taken_for_ours(world)
    if ends == "lost":
        world.appliance.tasks.clear()
    else:
        world.appliance.end_task(ends, gone=ends == "SUCCESS")
    before = world.poll(LOOKS)
    assert (before.state, before.deletes_accepted) == (state, 1)
    first = draw(before, "final").text
    comes(world, outcome)
    comes(world, outcome)
    request = world.get()
    late = State.FAILED if outcome is FORBIDDEN else State.EXPIRED
    assert request.state is (late if state is State.ATTENTION else state)
    assert request.deletes_accepted == 0
    told = draw(request, "correction").text
    assert words in told
    assert "`task:8`, which was taken for ours, is somebody else's" in told
    assert "Task status" not in told
    assert draw(request, "final").text == first or state is State.ATTENTION
    assert world.actions().count("corrected") == 1
    assert world.appliance.deletes == []


def test_gone_untold_is_told_by_the_late_word(world: World) -> None:
    cut_off(world)
    world.appliance.present = False
    world.wait(LEASE_MS)
    assert world.end() == (State.SUCCEEDED, "gone_untold")
    comes(world, ABSENT)
    assert world.get().correction is None
    comes(world, HELD_UP)
    assert world.state() is State.SUCCEEDED
    assert "not by this delete" in draw(world.get(), "correction").text


def test_the_task_is_known_to_the_next_look(world: World) -> None:
    given_up(world, NAMELESS)
    comes(world, DeleteAccepted(task=NAMELESS))
    assert world.state() is State.ATTENTION
    answers = []
    for ends in (False, True):
        if ends:
            world.appliance.end_task("ERROR", gone=False)
            world.wait(LOOK_PAUSE_MS)
        world.click("AAAA-BBBB", "look", SECOND)
        world.settle()
        answers.append((world.answers[-1][1], world.state()))
    assert answers[0] == ("look_running", State.ATTENTION)
    assert answers[1][1] is State.FAILED


@pytest.mark.parametrize("looks", [False, True], ids=["", "while a look waits"])
@pytest.mark.parametrize(
    ("outcome", "end", "words"),
    [(FORBIDDEN, State.FAILED, "no privilege"), (HELD_UP, State.EXPIRED, "too_late problem")],
    ids=["refused", "not sent"],
)
def test_what_was_not_done_is_one_correction(
    world: World, outcome: Event, end: State, words: str, looks: bool
) -> None:
    given_up(world)
    if looks:
        world.click("AAAA-BBBB", "look", SECOND)
    comes(world, outcome)
    request = world.get()
    assert request.state is end
    assert [m.slot for m in messages(request, world.ms)].count("correction") == 1
    assert words in draw(request, "correction").text
    assert [who for who, _ in world.answers].count(SECOND) == looks
    comes(world, outcome)
    assert world.get() == request.model_copy(update={"updated_at": world.get().updated_at})


def test_an_answer_to_another_intent_corrects_nothing(world: World) -> None:
    given_up(world)
    world.put(HELD_UP.model_copy(update={"intent": Intent(at=1, task_ids=())}), "AAAA-BBBB")
    world.settle()
    assert world.state() is State.ATTENTION
    assert world.actions()[-1] == "came_late"


# ---- it cannot be stored at first ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "error", "withdrawn", "end"),
    [
        (FORBIDDEN, MemoryError(), False, State.FAILED),
        (HELD_UP, MemoryError(), False, State.FOLLOWING),
        # Pressed after the appliance had turned the DELETE away, and stored before that was.
        (LIMITED, away(), True, State.CANCELLED),
    ],
)
def test_no_answer_is_lost_and_a_cancel_beside_not_accepted_wins(
    world: World, outcome: Event, error: Exception, withdrawn: bool, end: State
) -> None:
    save, faults = world.requests.save, [error]

    def fails(claim: Claim, step: Absorbed) -> Claim:
        if claim.request.state is State.DELETING and faults:
            if withdrawn:
                world.click("AAAA-BBBB", "cancel", ASKER)
            raise faults.pop()
        return save(claim, step)

    world.requests.save = fails  # type: ignore[method-assign]
    with pytest.raises(MemoryError) if isinstance(error, MemoryError) else nullcontext():
        world.approved(outcome)
    world.wait(LEASE_MS)
    assert faults == []
    assert world.state() is end
    assert "outcome_unknown" not in world.actions()
    assert len(world.appliance.deletes) == 1 + (end is State.FOLLOWING)
