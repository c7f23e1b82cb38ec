"""The database is set back under a running bot: what looks approved may have been sent, and is for
a person to look at."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from bot.request.events import DeleteAccepted, OperatorCancelled
from bot.request.model import Intent, Sent, State, TaskView
from bot.request.problem import ProblemKind
from bot.slack.draw.message import draw
from tests.worker.world import ASKER, FIRST, World, problem

REQUEST = "AAAA-BBBB"
ATTENTION = State.ATTENTION


def set_back(tmp_path: Path, to: State = State.APPROVED) -> tuple[World, Path, Path]:
    """Approved and sent once, and the copy of its database from before it was sent."""
    file, backup = tmp_path / "vr-unpair.db", tmp_path / "backup.db"
    world = World(f"sqlite:///{file}")
    world.pending()
    source = sqlite3.connect(file)
    if to is State.PENDING:
        source.execute("VACUUM INTO ?", (str(backup),))
    world.appliance.read_failures = [problem(ProblemKind.UNSENT)]
    world.click(REQUEST, "approve", FIRST)
    world.settle()
    assert world.state() is State.APPROVED
    if to is State.APPROVED:
        source.execute("VACUUM INTO ?", (str(backup),))
    world.wait(6_000)
    world.appliance.end_task("ERROR", gone=False)
    world.wait(6_000)
    assert world.state() is State.FAILED
    source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    source.close()
    return world, file, backup


def test_what_was_sent_and_looks_approved_again_is_not_sent_again(tmp_path: Path) -> None:
    world, file, backup = set_back(tmp_path)
    shutil.copyfile(backup, file)
    world.wait(30_000)
    request = world.get()
    assert (request.state, request.outcome and request.outcome.code) == (ATTENTION, "set_back")
    assert len(world.appliance.deletes) == 1
    world.close()


@pytest.mark.parametrize("how", ["gone", "in vain", "cancelled"])
def test_nor_does_it_end_as_if_nothing_had_been_sent(tmp_path: Path, how: str) -> None:
    """Neither where the pairing is gone by that very DELETE, nor where time runs out, nor where
    somebody takes it back."""
    world, file, backup = set_back(tmp_path)
    world.appliance.present = how != "gone"
    shutil.copyfile(backup, file)
    if how == "in vain":
        world.appliance.read_failures = [problem(ProblemKind.UNSENT)] * 1_000
    if how == "cancelled":
        world.click(REQUEST, "cancel", ASKER)
    for _ in range(25):
        world.wait(30_000)
    assert world.state() is ATTENTION
    final = draw(world.get(), "final").text
    assert "It cannot be told whether the delete was sent" in final
    assert "othing was sent" not in final
    assert "accepted nothing" not in final
    world.click(REQUEST, "look", FIRST)
    world.settle()
    assert world.state() is (State.SUCCEEDED if how == "gone" else ATTENTION)
    assert len(world.appliance.deletes) == 1
    world.close()


@pytest.mark.parametrize("how", ["denied", "in vain", "cancelled", "cancelled by root"])
def test_nor_does_what_looks_undecided(tmp_path: Path, how: str) -> None:
    """The approval is lost together with what was sent for it."""
    world, file, backup = set_back(tmp_path, State.PENDING)
    shutil.copyfile(backup, file)
    match how:
        case "denied":
            world.click(REQUEST, "deny", FIRST, reason="no")
        case "cancelled":
            world.click(REQUEST, "cancel", ASKER)
        case "cancelled by root":
            world.put(OperatorCancelled(operator="root"), REQUEST)
    world.wait(4 * 3_600_000)
    assert world.state() is ATTENTION
    assert "othing was sent" not in draw(world.get(), "final").text
    world.appliance.present = False
    world.click(REQUEST, "look", FIRST)
    world.settle()
    assert world.state() is State.SUCCEEDED
    assert len(world.appliance.deletes) == 1
    world.close()


def test_what_looks_undecided_is_reminded_of_and_can_be_approved(tmp_path: Path) -> None:
    """Which sends nothing, and calls a person."""
    world, file, backup = set_back(tmp_path, State.PENDING)
    shutil.copyfile(backup, file)
    world.wait(20 * 60_000)
    assert world.state() is State.PENDING
    assert world.get().reminders == 1
    world.click(REQUEST, "approve", FIRST)
    world.settle()
    assert world.state() is ATTENTION
    assert len(world.appliance.deletes) == 1
    world.close()


def test_an_answer_in_hand_tells_what_nobody_else_could(tmp_path: Path) -> None:
    world, file, backup = set_back(tmp_path)
    shutil.copyfile(backup, file)
    world.wait(30_000)
    assert world.state() is ATTENTION
    task = TaskView(id="task:0:x", status="RUNNING", entity="whatever")
    sent = Sent(intent=Intent(at=1, task_ids=()), follow_by=None, approvals=(), glass=None)
    world.put(DeleteAccepted(task=task, sent=sent), REQUEST)
    world.settle()
    request = world.get()
    assert request.task == task
    assert [n.code for n in request.notices][-1] == "taken_after_all"
    final = draw(request, "final").text
    assert "The appliance has taken the delete" in final
    assert "cannot be told whether" not in final
    world.close()
