"""The answer to a DELETE comes to a row that has gone on without it, or that was set back."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from bot.request.events import DeleteAccepted, DeleteAnswered, DeleteNotAccepted, Event
from bot.request.messages import messages
from bot.request.model import Intent, State, TaskView
from bot.request.problem import ProblemKind
from bot.slack.draw.message import draw
from bot.store import audit_trail as trail
from bot.store.saving import Claim, Saving
from tests.support.world import ASKER, FIRST, LEASE_MS, PAIRING, SECOND, World, problem

LOOKS_MS = 60_000
NAMELESS = TaskView(id="task:9", status="RUNNING", entity=None)
FORBIDDEN = DeleteAnswered(problem=problem(ProblemKind.REFUSED, status=403, message="no privilege"))
CUT = DeleteAnswered(problem=problem(ProblemKind.UNANSWERED))
HELD_UP = DeleteNotAccepted(problem=problem(ProblemKind.TOO_LATE))


class Stands(BaseException):
    """The process that sends is cut off there."""


def goes_on(world: World) -> None:
    for _ in range(LOOKS_MS // 5_000):
        world.wait(5_000)


# ---- the database comes back without its last commits --------------------------------------------


@pytest.fixture
def filed(tmp_path: Path) -> World:
    return World(f"sqlite:///{tmp_path}/vr-unpair.db")


def loses_all_since(world: World, then: State, tmp_path: Path) -> None:
    """As a server does that takes over from one it had not caught up with: while the DELETE is on
    the wire all is lost that was stored since the request was first in this state."""
    save, save_intent, delete = world.requests.save, world.requests.save_intent, _deletes(world)
    path, backup = tmp_path / "vr-unpair.db", tmp_path / "then.db"

    def kept() -> None:
        if not backup.exists():
            with sqlite3.connect(path) as source:
                source.execute("VACUUM INTO ?", (str(backup),))

    def saved(claim: Claim, saving: Saving) -> Claim:
        if claim.request.state is then is State.PENDING and claim.heard:
            kept()  # the click waits in the inbox
        return save(claim, saving)

    def intended(claim: Claim, saving: Saving) -> Claim:
        kept()
        return save_intent(claim, saving)

    def deleted(*call: Any, **how: Any) -> Event:
        outcome = delete(*call, **how)
        if len(world.appliance.deletes) == 1:
            with sqlite3.connect(backup) as source, sqlite3.connect(path) as target:
                source.backup(target)
            assert world.state() is then
        return outcome

    world.requests.save = saved  # type: ignore[method-assign]
    world.requests.save_intent = intended  # type: ignore[method-assign]
    world.appliance.delete = deleted  # type: ignore[method-assign,assignment]


def _deletes(world: World) -> Callable[..., Event]:
    return world.appliance.delete


@pytest.mark.parametrize("then", [State.APPROVED, State.PENDING])
@pytest.mark.parametrize(
    ("answer", "end"),
    [(None, State.SUCCEEDED), (CUT, State.ATTENTION), (FORBIDDEN, State.FAILED)],
    ids=["taken", "cut", "refused"],
)
def test_what_the_row_has_lost_is_not_sent_again(
    filed: World, tmp_path: Path, then: State, answer: DeleteAnswered | None, end: State
) -> None:
    loses_all_since(filed, then, tmp_path)
    filed.appliance.delete_outcomes += [answer] if answer else []
    filed.pending()
    filed.click("AAAA-BBBB", "approve", FIRST)
    filed.settle()
    filed.wait(LEASE_MS)
    if answer is None:
        assert filed.state() is State.FOLLOWING
        filed.appliance.end_task()
    goes_on(filed)
    request = filed.get()
    assert len(filed.appliance.deletes) == 1
    assert request.state is end
    assert request.clicks == ()
    (intent,) = [r for r in trail.export(filed.db) if r.action == "intent"]
    if then is State.APPROVED:
        assert intent.detail["people"] == [FIRST]
    filed.close()


# ---- somebody else has given up looking ----------------------------------------------------------


def given_up(world: World, task: TaskView | None = None) -> None:
    """Whoever sent is cut off with the answer in hand; another copy looks and calls a person."""

    def stands(*_: object, **__: object) -> Event:
        world.appliance.tasks += [task] if task else []
        raise Stands

    world.appliance.delete = stands  # type: ignore[method-assign,assignment]
    world.pending()
    world.click("AAAA-BBBB", "approve", FIRST)
    with pytest.raises(Stands):
        world.settle()
    goes_on(world)
    assert world.state() is State.ATTENTION


def test_the_own_task_goes_before_one_that_was_found_by_looking(world: World) -> None:
    """Somebody else has begun one on the same pairing just before, and that one fails."""
    other = TaskView(id="task:8", status="RUNNING", entity=PAIRING)
    own = TaskView(id="task:9", status="RUNNING", entity=PAIRING)

    def stands(*_: object, **__: object) -> Event:
        world.appliance.tasks += [other, own]
        raise Stands

    world.appliance.delete = stands  # type: ignore[method-assign,assignment]
    world.pending()
    world.click("AAAA-BBBB", "approve", FIRST)
    with pytest.raises(Stands):
        world.settle()
    world.wait(LEASE_MS)
    assert world.get().task == other
    comes(world, DeleteAccepted(task=own))
    comes(world, DeleteAccepted(task=own))  # stored twice, as where a commit does not answer
    assert world.get().task == own
    assert world.actions().count("accepted") == 1
    world.appliance.tasks[0] = other.model_copy(update={"status": "ERROR"})
    world.appliance.end_task()
    goes_on(world)
    assert world.state() is State.SUCCEEDED


def comes(world: World, outcome: Event) -> None:
    intent = world.get().intent
    assert intent is not None
    if isinstance(outcome, DeleteNotAccepted):
        outcome = outcome.model_copy(update={"intent": intent})
    world.put(outcome, "AAAA-BBBB")
    world.settle()


def test_the_task_is_known_to_the_next_look(world: World) -> None:
    given_up(world, NAMELESS)
    comes(world, DeleteAccepted(task=NAMELESS))
    assert world.state() is State.ATTENTION
    said = draw(world.get(), "final").text
    assert "The appliance has taken the delete, and how it ended is not known." in said
    assert "Look again" in said
    world.click("AAAA-BBBB", "look", SECOND)
    world.settle()
    assert world.answers[-1] == (SECOND, "look_running")
    world.appliance.end_task("ERROR", gone=False)
    world.click("AAAA-BBBB", "look", SECOND)
    world.settle()
    assert world.state() is State.FAILED


@pytest.mark.parametrize(
    ("outcome", "end", "words"),
    [
        (
            FORBIDDEN,
            State.FAILED,
            ("no privilege", "403"),
        ),
        (HELD_UP, State.EXPIRED, ("too_late problem",)),
    ],
    ids=["refused", "not sent"],
)
def test_what_was_not_done_is_one_correction(
    world: World, outcome: Event, end: State, words: tuple[str, ...]
) -> None:
    given_up(world)
    comes(world, outcome)
    request = world.get()
    assert request.state is end
    assert [m.slot for m in messages(request, world.ms)].count("correction") == 1
    said = draw(request, "correction").text
    assert all(each in said for each in words)
    comes(world, outcome)
    assert world.get() == request.model_copy(update={"updated_at": world.get().updated_at})


def test_a_look_that_waits_is_answered_by_it(world: World) -> None:
    given_up(world)
    world.click("AAAA-BBBB", "look", SECOND)
    comes(world, FORBIDDEN)
    assert world.state() is State.FAILED
    assert [who for who, _ in world.answers].count(SECOND) == 1


def test_an_answer_to_another_intent_corrects_nothing(world: World) -> None:
    given_up(world)
    world.put(HELD_UP.model_copy(update={"intent": Intent(at=1, task_ids=())}), "AAAA-BBBB")
    world.settle()
    assert world.state() is State.ATTENTION
    assert world.actions()[-1] == "came_late"


# ---- the claim is lost, or the words cannot be drawn --------------------------------------------


def test_a_cancel_that_waits_beside_not_accepted_wins(world: World) -> None:
    """It was pressed after the appliance had turned the DELETE away, and stored before that was."""
    world.appliance.delete_outcomes += [
        DeleteNotAccepted(problem=problem(ProblemKind.LIMITED, status=429))
    ]
    save, blips = world.requests.save, [True]

    def blinks(claim: Claim, saving: Saving) -> Claim:
        if claim.request.state is State.DELETING and blips:
            blips.pop()
            world.click("AAAA-BBBB", "cancel", ASKER)
            raise OperationalError("x", {}, Exception("server closed the connection"))
        return save(claim, saving)

    world.requests.save = blinks  # type: ignore[method-assign]
    world.pending()
    world.click("AAAA-BBBB", "approve", FIRST)
    world.settle()
    world.wait(LEASE_MS)
    assert not blips
    assert world.state() is State.CANCELLED
    goes_on(world)
    assert len(world.appliance.deletes) == 1


@pytest.mark.parametrize(
    ("outcome", "end"), [(FORBIDDEN, State.FAILED), (HELD_UP, State.FOLLOWING)]
)
def test_a_fault_of_our_own_loses_no_answer(
    world: World, outcome: Event, end: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.appliance.delete_outcomes += [outcome]
    world.pending()
    save, faults = world.requests.save, [True]

    def fails(claim: Claim, saving: Saving) -> Claim:
        if claim.request.state is State.DELETING and faults:
            faults.pop()
            raise MemoryError
        return save(claim, saving)

    monkeypatch.setattr(world.requests, "save", fails)
    world.click("AAAA-BBBB", "approve", FIRST)
    with pytest.raises(MemoryError):
        world.settle()
    world.wait(LEASE_MS)
    assert world.state() is end
    assert "outcome_unknown" not in world.actions()
