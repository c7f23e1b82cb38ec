"""An older database put back, as docs/backup.md tells it: nothing of then is sent once more."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.request.model import State
from tests.support.world import FIRST, World

DAY_MS = 86_400_000


def back_up_after_each_commit(world: World, folder: Path) -> list[Path]:
    """The backups, as they will be made from now on."""
    made: list[Path] = []
    write = world.db.write

    @contextmanager
    def backed_up(*within: Any) -> Iterator[Any]:
        with write(*within) as connection:
            yield connection
        made.append(folder / f"{len(made)}.db")
        source = sqlite3.connect(folder / "vr-unpair.db")
        source.execute("VACUUM INTO ?", (str(made[-1]),))
        source.close()

    world.db.write = backed_up  # type: ignore[method-assign]
    return made


@pytest.mark.parametrize("ended", [True, False], ids=["after its end", "while its task runs"])
def test_a_restored_request_is_never_sent_again(tmp_path: Path, ended: bool) -> None:
    world = World(f"sqlite:///{tmp_path}/vr-unpair.db")
    backups = back_up_after_each_commit(world, tmp_path)
    request_id = world.pending()
    world.click(request_id, "approve", FIRST)
    world.settle()
    assert world.state() is State.FOLLOWING
    if ended:
        world.appliance.end_task()
        world.wait(5_000)
        assert world.state() is State.SUCCEEDED
    world.close()

    states, ends = set(), set()
    for backup in backups:
        restored = World(f"sqlite:///{backup}", dry_run=True)
        restored.appliance = world.appliance
        restored.worker = restored.new_worker()
        restored.ms = world.ms
        for request in restored.overview.newest():
            states.add(request.state)
        restored.settle()
        for _ in range(3):
            restored.wait(DAY_MS)
        for request in restored.overview.newest():
            ends.add(request.state)
            assert not request.state.open
        restored.close()
    assert len(world.appliance.deletes) == 1
    # From before the sending and from after it; what was sent is found out by looking.
    assert {State.PENDING, State.APPROVED, State.DELETING, State.FOLLOWING} <= states
    assert (State.SUCCEEDED if ended else State.ATTENTION) in ends
