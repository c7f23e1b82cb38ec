"""`vr-unpair cancel` while no bot runs: stored, and withdrawn at the next start of one."""

from __future__ import annotations

import os
from types import SimpleNamespace
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


ACCOUNTS = {0: "root", 1000: "alice", 990: "vr-unpair"}


@pytest.mark.parametrize(
    ("uid", "environ", "named"),
    [
        (990, {}, "vr-unpair"),
        (990, {"SUDO_UID": "1000", "SUDO_USER": "alice"}, "vr-unpair"),
        (0, {"SUDO_UID": "1000", "SUDO_USER": "mallory"}, "alice, by sudo as root"),
        (0, {"SUDO_UID": "1001", "SUDO_USER": "bob"}, "uid 1001 (bob), by sudo as root"),
        (0, {"SUDO_UID": "-1", "SUDO_USER": "bob"}, "root"),
        (1_000_700_000, {}, "uid 1000700000"),
    ],
    ids=["plain", "not root", "sudo", "sudo, no account", "no number", "OpenShift"],
)
def test_the_system_user_is_named_by_its_uid(
    world: World, run: Run, monkeypatch: pytest.MonkeyPatch, uid: int, environ: Any, named: str
) -> None:
    """Whatever LOGNAME says, which anybody can set."""

    def account(number: int) -> SimpleNamespace:
        return SimpleNamespace(pw_name=ACCOUNTS[number])

    monkeypatch.setattr("pwd.getpwuid", account)
    for call in ("getuid", "geteuid"):
        monkeypatch.setattr(os, call, lambda: uid)
    for name, value in {"LOGNAME": "mallory", "USER": "mallory", **environ}.items():
        monkeypatch.setenv(name, value)
    run("cancel", world.pending())
    world.settle()
    cancellation = world.get().cancellation
    assert cancellation is not None
    assert cancellation.by == f"operator:{named}"


@pytest.mark.parametrize("command", ["show", "cancel"])
def test_an_unknown_request_is_a_sentence(world: World, run: Run, command: str) -> None:
    done = run(command, "ZZZZ-ZZZZ", "--json", code=1)
    assert done.stdout == ""
    assert "There is no request ZZZZ-ZZZZ." in done.stderr
