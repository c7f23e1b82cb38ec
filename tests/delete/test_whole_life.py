"""The life of one request through the real worker and the real store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from bot.request.model import State
from bot.store import audit_trail as trail
from bot.store.audit_trail import verify_trail
from tests.support.world import PAIRING, World

DAY_MS = 86_400_000


def test_asked_approved_sent_followed_and_proved(world: World) -> None:
    world.approved()
    assert world.appliance.deletes == [(PAIRING, False)]
    world.appliance.end_task()
    world.poll()
    assert world.end() == (State.SUCCEEDED, "proved")
    posts = [slot for _, slot, how in world.posted if how == "post"]
    assert posts == ["card", "progress", "final"]
    broken, head = verify_trail(world.db)
    assert broken is None
    assert head.count == len(world.actions())


def test_the_trail_says_what_was_agreed_to(world: World) -> None:
    """The fingerprint that each approval names can be made anew from the trail alone."""
    world.approved()
    details = {record.action: record.detail for record in trail.export(world.db)}
    asked, checked = details["asked"], details["checked"]
    made_of = {
        **checked["compared"],
        "force": asked["force"],
        "dry run": asked["dry_run"],
        "not before": checked.get("scheduled_at"),
    }
    canonical = json.dumps(made_of, sort_keys=True, separators=(",", ":"))
    assert details["approved_by"]["fingerprint"] == sha256(canonical.encode()).hexdigest()[:16]
    assert details["intent"]["fingerprint"] == checked["fingerprint"]
    assert {"in_recovery_plans", "open_issues", "remote_down"} <= set(checked)


def back_up_after_each_commit(world: World, folder: Path) -> list[Path]:
    """The backups, as they will be made from now on."""
    made: list[Path] = []
    write = world.db.write

    @contextmanager
    def backed_up(*within: Any) -> Iterator[Any]:
        with write(*within) as connection:
            yield connection
        made.append(folder / f"{len(made)}.db")
        source = sqlite3.connect(folder / "world.db")
        source.execute("VACUUM INTO ?", (str(made[-1]),))
        source.close()

    world.db.write = backed_up  # type: ignore[method-assign]
    return made


@pytest.mark.parametrize("ended", [True, False], ids=["after its end", "while its task runs"])
def test_a_restored_request_is_never_sent_again(
    world_on_file: World, tmp_path: Path, ended: bool
) -> None:
    """An older database put back, as docs/backup.md tells it."""
    world = world_on_file
    backups = back_up_after_each_commit(world, tmp_path)
    world.approved()
    if ended:
        world.appliance.end_task()
        assert world.poll().state is State.SUCCEEDED

    states, ends = set(), set()
    for backup in backups:
        restored = World(f"sqlite:///{backup}", dry_run=True)
        restored.appliance = world.appliance
        restored.worker = restored.new_worker()
        restored.ms = world.ms
        states |= {request.state for request in restored.overview.newest()}
        restored.settle()
        for _ in range(3):
            restored.wait(DAY_MS)
        ends |= {request.state for request in restored.overview.newest()}
        restored.close()
    assert len(world.appliance.deletes) == 1
    assert not [state for state in ends if state.open]
    # From before the sending and from after it; what was sent is found out by looking.
    assert {State.PENDING, State.APPROVED, State.DELETING, State.FOLLOWING} <= states
    assert (State.SUCCEEDED if ended else State.ATTENTION) in ends
