"""The same with the real process, over HTTP: the disk fills up and is freed, the file is moved away
and back, and starts that must not be."""

from __future__ import annotations

import resource
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from bot.__main__ import FOR_GOOD, PROBLEM
from bot.store.database import Database
from bot.store.migrate import upgrade
from sandbox.bot_process import BotProcess
from sandbox.slack import Delivery, mentions
from tests.life.kills.faults import QUICK
from tests.life.kills.stage import DyingBot
from tests.life.outages.database_world import SMALLEST
from tests.support.clock import PATIENCE_SECONDS, wait_for
from tests.support.stage import ALAN, RITA, Stage, servers
from tests.support.way_in import OverHttp

NOT_TAKEN = "this may not have been taken"
PRESSES = 30


class ShortLeases(Stage):
    """What could not be stored waits for a lease to end."""

    def _start(self, bot: BotProcess) -> None:
        super()._start(DyingBot({**bot.environment, **QUICK.environment()}, bot.folder))


@contextmanager
def short_leases(folder: Path) -> Iterator[Stage]:
    """`/slack/events` is HTTP, where Slack itself repeats nothing."""
    with servers() as both:
        world = ShortLeases(OverHttp(), *both)
        try:
            world.start(folder, VR_TIMEOUT_SECONDS="1")
            yield world
        finally:
            world.kill()


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One process for all."""
    with short_leases(tmp_path_factory.mktemp("bot")) as world:
        yield world


@contextmanager
def disk_full(world: Stage) -> Iterator[None]:
    """Every write of this process to a file beyond the smallest fails, as root too."""
    pid = world.bot.pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (SMALLEST, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


def ready(world: Stage) -> tuple[int, str]:
    answer = requests.get(f"{world.bot.url}/readyz", timeout=PATIENCE_SECONDS)
    return answer.status_code, answer.json()["database"]


def told_that_it_failed(world: Stage, delivery: Delivery) -> bool:
    """In the acknowledgement of a command, or ephemerally for a click."""
    said = [delivery.text, *(e.all_text for e in world.answers(delivery))]
    return any(NOT_TAKEN in words for words in said)


def test_people_are_told_that_nothing_was_taken_and_all_goes_on_by_itself(real: Stage) -> None:
    """And no line of the log is said a thousand times: an error for each click that was not taken,
    and one for the fault."""
    pairing, other = real.pairing(), real.pairing()
    asked = real.asks_to_break(pairing)
    assert ready(real) == (200, "ok")
    before = len(_errors(real))
    with disk_full(real):
        status, said = ready(real)
        assert status == 503
        assert "See whether it is full" in said
        command = real.slack.command(RITA, f"{other} lost", channel=asked.channel)
        assert command.ok  # 2xx with words: anything else would show "operation failed" alone
        assert told_that_it_failed(real, command)
        for _ in range(PRESSES):
            click = asked.clicks(ALAN, "approve")
        wait_for(lambda: told_that_it_failed(real, click))
    wait_for(lambda: ready(real) == (200, "ok"))
    asked.clicks(ALAN, "approve")
    assert mentions(asked.wait_for_final()) == {RITA, ALAN}
    assert pairing not in real.appliance.pairings
    assert other in real.appliance.pairings
    assert len([d for d in real.appliance.deletes if pairing in d.path]) == 1
    assert len(real.bot.events("database_fault")) == 1
    assert real.bot.events("step_failed") == []
    # The command, the fault, and the poster, where it looked for work meanwhile.
    assert len(_errors(real)) - before <= PRESSES + 3, _errors(real)


def _errors(world: Stage) -> list[str]:
    return [line for line in world.log_lines if '"level": "error"' in line]


# ---- starts -------------------------------------------------------------------------------------


def garbage(file: Path) -> None:
    file.write_bytes(b"not a database" * 1000)


def newer_schema(file: Path) -> None:
    db = Database(f"sqlite:///{file}")
    upgrade(db)
    db.close()
    with sqlite3.connect(file) as raw:
        raw.execute("UPDATE schema_info SET oldest_program = '99.0.0'")
    raw.close()


def no_folder(file: Path) -> None:
    file.parent.rmdir()


@pytest.mark.parametrize(
    ("spoil", "code", "what", "step"),
    [
        (garbage, FOR_GOOD, "is damaged, or is no database", "restore the backup"),
        (newer_schema, FOR_GOOD, "by a newer vr-unpair", "Install 99.0.0 or later"),
        (no_folder, PROBLEM, "cannot be opened", "Make its folder"),
    ],
)
def test_a_start_ends_with_one_sentence(
    real: Stage, tmp_path: Path, spoil: Callable[[Path], None], code: int, what: str, step: str
) -> None:
    """Nothing is served, nothing is written, and the exit code says whether to try again."""
    file = tmp_path / "its own" / "vr-unpair.db"
    file.parent.mkdir()
    spoil(file)
    before = file.read_bytes() if file.exists() else None
    settings = {**real.bot.environment, "DATABASE_URL": f"sqlite:///{file}"}
    ended = subprocess.run(
        real.bot.command(),
        cwd=tmp_path,
        env=settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == code
    lines = [line for line in ended.stderr.splitlines() if not line.startswith("{")]
    assert len(lines) == 1, ended.stderr
    assert what in lines[0]
    assert step in lines[0]
    assert "Traceback" not in ended.stderr
    assert (file.read_bytes() if file.exists() else None) == before
