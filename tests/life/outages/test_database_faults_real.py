"""The same with the real process, over HTTP: the disk fills up and is freed, the file is moved away
and back, and starts that must not be."""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from bot.__main__ import FOR_GOOD, PROBLEM
from bot.sandbox.appliance import Answer, SimulatedAppliance
from bot.sandbox.bot_process import BotProcess
from bot.sandbox.slack import Delivery, LocalSlack, mentions
from bot.store.database import Database
from bot.store.migrate import upgrade
from bot.store.verify_audit_trail import verify_trail
from tests.life.kills.faults import QUICK
from tests.life.kills.stage import DyingBot
from tests.life.outages.database_world import SMALLEST, damage
from tests.support.asked import PATIENCE_SECONDS
from tests.support.bot_on_stage import ALAN, RITA, World
from tests.support.way_in import WAYS_IN

NOT_TAKEN = "this may not have been taken"
HELD = "hang"
PRESSES = 30


class ShortLeases(World):
    """What could not be stored waits for a lease to end."""

    def _start(self, bot: BotProcess) -> None:
        super()._start(DyingBot({**bot.environment, **QUICK.environment()}, bot.folder))


@contextmanager
def short_leases(folder: Path) -> Iterator[World]:
    """`/slack/events` is HTTP, where Slack itself repeats nothing."""
    way = next(way for way in WAYS_IN if way.name == "http")
    appliance = SimulatedAppliance(calls_per_minute=None, task_seconds=0.1)
    with appliance as server, LocalSlack() as slack:
        world = ShortLeases(way, server, slack)
        try:
            world.start(folder, VR_TIMEOUT_SECONDS="1")
            yield world
        finally:
            world.kill()


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One process for all."""
    with short_leases(tmp_path_factory.mktemp("bot")) as world:
        yield world


def file_of(world: World) -> Path:
    return world.bot.folder / "vr-unpair.db"


@contextmanager
def disk_full(world: World) -> Iterator[None]:
    """Every write of this process to a file beyond the smallest fails, as root too."""
    pid = world.bot.pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (SMALLEST, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def file_moved(world: World) -> Iterator[None]:
    here = file_of(world)
    there = here.with_suffix(".moved")
    here.rename(there)
    try:
        yield
        assert not here.exists()
    finally:
        there.rename(here)


FAULTS: dict[str, tuple[Callable[[World], Any], str]] = {
    "full": (disk_full, "See whether it is full"),
    "moved": (file_moved, "Move it back"),
}
EACH = pytest.mark.parametrize("name", FAULTS)


def ready(world: World) -> tuple[int, str]:
    answer = requests.get(f"{world.bot.url}/readyz", timeout=PATIENCE_SECONDS)
    return answer.status_code, answer.json()["database"]


def wait_for(found: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not found():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


def told_that_it_failed(world: World, delivery: Delivery) -> bool:
    """In the acknowledgement of a command, or ephemerally for a click."""
    said = [delivery.text, *(e.all_text for e in world.answers(delivery))]
    return any(NOT_TAKEN in words for words in said)


@EACH
def test_people_are_told_that_nothing_was_taken_and_all_goes_on_by_itself(
    real: World, name: str
) -> None:
    fault, step = FAULTS[name]
    pairing, other = real.pairing(), real.pairing()
    asked = real.asks_to_break(pairing)
    assert ready(real) == (200, "ok")
    faults = len(real.bot.events("database_fault"))
    with fault(real):
        for _ in range(3):
            status, said = ready(real)
            assert status == 503
            assert step in said
            assert said.endswith("the bot goes on by itself then.")
        command = real.slack.command(RITA, f"{other} lost", channel=asked.channel)
        assert command.ok  # 2xx with words: anything else would show "operation failed" alone
        assert told_that_it_failed(real, command)
        click = asked.clicks(ALAN, "approve")
        wait_for(lambda: told_that_it_failed(real, click))
    wait_for(lambda: ready(real) == (200, "ok"))
    asked.clicks(ALAN, "approve")
    final = asked.wait_for_final()
    assert mentions(final) == {RITA, ALAN}
    assert pairing not in real.appliance.pairings
    assert other in real.appliance.pairings
    assert len([d for d in real.appliance.deletes if pairing in d.path]) == 1
    assert len(real.bot.events("database_fault")) == faults + 1
    sound(file_of(real))


def test_a_crowd_that_meets_a_held_file_is_answered_while_slack_listens(real: World) -> None:
    """As somebody's open `sqlite3` or a backup holds it. Each waited for all before it: the ninth
    was stored a minute and a half later, when Slack had long said that it failed."""
    asked = real.asks_to_break(real.pairing())
    holder = sqlite3.connect(file_of(real), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    began = time.monotonic()

    def asks(number: int) -> Delivery:
        return real.slack.command(RITA, f"crowd-{number} lost", channel=asked.channel)

    with ThreadPoolExecutor(9) as pool:
        asking = [pool.submit(asks, number) for number in range(9)]
        alive = requests.get(f"{real.bot.url}/healthz", timeout=PATIENCE_SECONDS)
        answers = [each.result() for each in asking]
    took = time.monotonic() - began
    holder.execute("ROLLBACK")
    holder.close()
    assert alive.status_code == 200
    # Eight at once. The ninth waits for a thread: Slack itself says that it failed, and it may be
    # stored all the same, as anything that Slack gave up on.
    told = [told_that_it_failed(real, answer) for answer in answers if answer.ok]
    assert all(told)
    assert len(told) >= 8
    assert took < 2 * 3.0
    wait_for(lambda: ready(real) == (200, "ok"))
    asked.clicks(ALAN, "approve")
    asked.wait_for_final()
    with sqlite3.connect(file_of(real)) as reader:
        query = "SELECT count(*) FROM inbox WHERE body LIKE '%crowd-%'"
        (stored,) = reader.execute(query).fetchone()
    reader.close()
    assert stored <= len(answers) - len(told)


def test_an_answer_to_the_delete_is_kept_while_the_disk_is_full(real: World) -> None:
    pairing = real.pairing()
    asked = real.asks_to_break(pairing)
    real.appliance.on_delete(Answer(wire=HELD, accept_first=True))
    asked.clicks(ALAN, "approve")
    wait_for(lambda: [d for d in real.appliance.deletes if pairing in d.path])
    with disk_full(real):
        real.appliance.release_hanging()
        wait_for(lambda: real.bot.events("outcome_in_hand"))
        assert ready(real)[0] == 503
    asked.wait_for_final()
    assert pairing not in real.appliance.pairings
    assert len([d for d in real.appliance.deletes if pairing in d.path]) == 1
    assert len([e for e in real.bot.events("outcome_in_hand") if e["level"] == "warning"]) == 1
    sound(file_of(real))


def test_no_line_of_the_log_is_said_a_thousand_times(tmp_path: Path) -> None:
    """However often it is met: an error for each click that was not taken, and one for the fault.
    That it is over is told once, after some quiet seconds. In a process of its own: an outage goes
    on in the log for some seconds after its end."""
    with short_leases(tmp_path) as world:
        asked = world.asks_to_break(world.pairing())
        with disk_full(world):
            for _ in range(PRESSES):
                asked.clicks(ALAN, "approve")
                assert ready(world)[0] == 503
        asked.clicks(ALAN, "approve")
        asked.wait_for_final()
        wait_for(lambda: ready(world)[0] == 200 and world.bot.events("database_back"))
        assert len(world.bot.events("database_fault")) == 1
        assert len(world.bot.events("database_back")) == 1
        assert world.bot.events("step_failed") == []
        assert len(_errors(world)) <= PRESSES + 1, _errors(world)


def _errors(world: World) -> list[str]:
    return [line for line in world.log_lines if '"level": "error"' in line]


def sound(file: Path) -> None:
    db = Database(f"sqlite:///{file}")
    try:
        assert db.damage() is None
        broken, _ = verify_trail(db)
        assert broken is None
    finally:
        db.close()


# ---- starts -------------------------------------------------------------------------------------


def garbage(file: Path) -> None:
    file.write_bytes(b"not a database" * 1000)


def broken_page(file: Path) -> None:
    db = Database(f"sqlite:///{file}")
    upgrade(db)
    db.close()
    with sqlite3.connect(file) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()
    damage(file)


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
        (broken_page, FOR_GOOD, "is damaged, or is no database", "restore the backup"),
        (newer_schema, FOR_GOOD, "by a newer vr-unpair", "Install 99.0.0 or later"),
        (no_folder, PROBLEM, "cannot be opened", "Make its folder"),
    ],
)
def test_a_start_ends_with_one_sentence(
    real: World, tmp_path: Path, spoil: Callable[[Path], None], code: int, what: str, step: str
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
