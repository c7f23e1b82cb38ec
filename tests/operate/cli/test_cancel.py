"""`vr-unpair cancel` while no bot runs: stored, and withdrawn at the next start of one."""

from __future__ import annotations

import os
from typing import Any

import pytest

from bot import cli_stored
from bot.request.model import State
from bot.store.inbox import Inbox
from tests.operate.cli.conftest import Run
from tests.support.world import FIRST, World


@pytest.mark.parametrize("approved", [False, True])
def test_a_request_that_waits_is_taken_back_at_the_next_start(
    world: World, run: Run, run_json: Any, approved: bool
) -> None:
    """Also where the bot died between the approval and its DELETE."""
    request_id = world.pending()
    if approved:
        world.click(request_id, "approve", FIRST)
    stored = {"id": request_id, "state": "pending", "cancellation": "stored"}
    assert run_json("cancel", request_id) == stored
    assert request_id in run("cancel", request_id).stdout  # twice is taken back once
    assert world.state() is State.PENDING, "nobody was there to absorb it"
    world.worker = world.new_worker()
    world.settle()
    assert world.state() is State.CANCELLED
    assert world.actions().count("cancelled") == 1
    assert world.appliance.deletes == []
    assert (request_id, "final", "post") in world.posted
    assert "cannot be withdrawn" in run("cancel", request_id, code=1).stderr


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


def test_a_system_user_without_an_account_is_named_by_its_number(
    world: World, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As containers run on OpenShift."""

    def no_account() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("getpass.getuser", no_account)
    run("cancel", world.pending())
    world.settle()
    cancellation = world.get().cancellation
    assert cancellation is not None
    assert cancellation.by == f"operator:uid {os.getuid()}"


@pytest.mark.parametrize("command", ["show", "cancel"])
def test_an_unknown_request_is_a_sentence(world: World, run: Run, command: str) -> None:
    done = run(command, "ZZZZ-ZZZZ", "--json", code=1)
    assert done.stdout == ""
    assert "There is no request ZZZZ-ZZZZ." in done.stderr
