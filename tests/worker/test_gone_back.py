"""The database is set back under a running bot: what is approved waits with the reason, until the
bot is started again."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

from bot.core.problem import ProblemKind
from bot.core.request import State
from tests.worker.world import FIRST, World, problem

REQUEST = "AAAA-BBBB"


def test_what_was_sent_and_looks_approved_again_is_not_sent_again(tmp_path: Path) -> None:
    file, backup = tmp_path / "vr-unpair.db", tmp_path / "backup.db"
    world = World(f"sqlite:///{file}")
    world.pending()
    world.appliance.read_failures = [problem(ProblemKind.UNSENT)]
    world.click(REQUEST, "approve", FIRST)
    world.settle()
    assert world.state() is State.APPROVED
    source = sqlite3.connect(file)
    source.execute("VACUUM INTO ?", (str(backup),))
    world.wait(6_000)
    world.appliance.end_task("ERROR", gone=False)
    world.wait(6_000)
    assert world.state() is State.FAILED
    source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    source.close()

    shutil.copyfile(backup, file)
    for _ in range(3):
        world.wait(30_000)
    assert world.state() is State.APPROVED
    assert [n.code for n in world.get().notices] == ["waits_to_send"]
    assert "may have been sent already" in (world.get().notices[0].text or "")
    world.wait(600_000)
    assert world.state() is State.EXPIRED
    outcome = world.get().outcome
    assert outcome is not None
    assert outcome.problem is not None
    assert "may have been sent already" in outcome.problem.text
    assert len(world.appliance.deletes) == 1
    world.close()
