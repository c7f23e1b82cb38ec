"""`vr-unpair cancel` while no bot runs: stored, and withdrawn at the next start of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot import cli_stored
from bot.request.model import State
from bot.store.inbox import Inbox
from tests.support.world import FIRST, World

Run = Callable[..., Any]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", "sqlite:///cli.db")
    made = World("sqlite:///cli.db")
    yield made
    made.close()


def test_a_request_that_waits_is_taken_back_at_the_next_start(world: World, run: Run) -> None:
    request_id = world.pending()
    done = run("cancel", request_id)
    assert "the next start of it" in done.stdout
    assert world.state() is State.PENDING, "nobody was there to absorb it"
    world.worker = world.new_worker()
    world.settle()
    assert world.state() is State.CANCELLED
    cancellation = world.get().cancellation
    assert cancellation is not None
    assert cancellation.by.startswith("operator:")
    assert world.appliance.deletes == []
    assert (request_id, "final", "post") in world.posted


def test_stored_before_the_approval_was_acted_on_it_wins(world: World, run: Run) -> None:
    """The bot died between the click and its DELETE; the operator was quicker than its start."""
    request_id = world.pending()
    world.click(request_id, "approve", FIRST)
    run("cancel", request_id)
    world.worker = world.new_worker()
    world.settle()
    assert world.state() is State.CANCELLED
    assert world.appliance.deletes == []


def test_one_that_comes_a_moment_too_late_promises_nothing(
    world: World, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The intent is stored between the command's look at the request and its own event."""
    request_id = world.pending()

    class Late(Inbox):
        def put(self, *args: Any, **more: Any) -> int | None:
            world.click(request_id, "approve", FIRST)
            world.settle()
            return super().put(*args, **more)

    monkeypatch.setattr(cli_stored, "Inbox", Late)
    done = run("cancel", request_id, code=1)
    assert "cannot be withdrawn any more" in done.stderr
    assert "nothing will be sent" not in done.stdout
    assert len(world.appliance.deletes) == 1


def test_twice_is_taken_back_once(world: World, run: Run) -> None:
    request_id = world.pending()
    run("cancel", request_id)
    run("cancel", request_id)
    world.settle()
    assert world.state() is State.CANCELLED
    assert world.actions().count("cancelled") == 1
    assert "cannot be withdrawn" in run("cancel", request_id, code=1).stderr
