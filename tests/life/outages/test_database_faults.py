"""Disk and database at fault: one sentence, nothing half-written, nothing sent without its intent,
and on by itself when it is over."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.request.model import State
from bot.store import database, sqlite
from bot.store.audit_trail import verify_trail
from bot.store.database import Database
from bot.store.faults import StoreError
from bot.store.migrate import Damaged, ready_problem, upgrade
from bot.store.queues import Queue
from tests.life.outages.database_world import DatabaseWorld, no_byte_more
from tests.support.world import FIRST

REQUEST = "AAAA-BBBB"
MUCH = "x" * 20_000
Logged = list[MutableMapping[str, Any]]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[DatabaseWorld]:
    made = DatabaseWorld(tmp_path / "vr-unpair.db")
    made.pending()
    yield made
    made.close()


@pytest.fixture
def logged() -> Iterator[Logged]:
    with capture_logs() as events:
        yield events


def named(logged: Logged, name: str) -> Logged:
    return [event for event in logged if event["event"] == name]


def whole(world: DatabaseWorld) -> None:
    """Not a page and not a record is half-written."""
    assert world.db.damage() is None
    assert verify_trail(world.db)[0] is None


def stored(world: DatabaseWorld) -> dict[str, list[Any]]:
    """Every row of every table, as another program reads it."""
    with closing(sqlite3.connect(world.file)) as connection:
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'shared'"
        tables = [name for (name,) in connection.execute(query)]
        return {t: connection.execute(f"SELECT * FROM {t}").fetchall() for t in tables}


@contextmanager
def started_again(world: DatabaseWorld) -> Iterator[DatabaseWorld]:
    world.close()
    with closing(DatabaseWorld(world.file)) as again:
        yield again


class Moved(AbstractContextManager[None]):
    """The file is somewhere else meanwhile."""

    def __init__(self, world: DatabaseWorld) -> None:
        self._here = world.file
        self._there = world.file.with_suffix(".moved")

    def __enter__(self) -> None:
        self._here.rename(self._there)

    def __exit__(self, *_: object) -> None:
        assert not self._here.exists()  # never made anew, by no new connection either
        self._there.rename(self._here)


FAULTS: dict[str, tuple[Callable[[DatabaseWorld], AbstractContextManager[None]], str]] = {
    "full": (lambda _: no_byte_more(), "cannot be read or written"),
    "read only": (DatabaseWorld.read_only, "may only be read"),
    "moved": (Moved, "has been deleted, moved away or replaced"),
}
PASSING = pytest.mark.parametrize("name", FAULTS)


@PASSING
def test_it_is_said_in_a_sentence_stores_nothing_and_is_over_by_itself(
    world: DatabaseWorld, logged: Logged, name: str
) -> None:
    fault, what = FAULTS[name]
    assert ready_problem(world.db) is None
    before = stored(world)
    with fault(world):
        said = ready_problem(world.db) or ""
        assert what in said
        assert str(world.file) in said
        for _ in range(3):
            assert ready_problem(world.db) == said
            with pytest.raises(StoreError):
                world.click(REQUEST, "approve", FIRST)
        if name == "moved":
            world.db.close()
            with pytest.raises(StoreError, match="FileGone"):
                world.click(REQUEST, "approve", FIRST)
    assert [e["sentence"] for e in named(logged, "database_fault")] == [said]
    assert stored(world) == before
    assert ready_problem(world.db) is None
    world.click(REQUEST, "approve", FIRST)
    world.settle()
    assert len(world.appliance.deletes) == 1
    whole(world)


@PASSING
@pytest.mark.parametrize(("call", "sent"), [("prepare_delete", 0), ("delete", 1)])
def test_what_is_in_hand_is_kept_and_nothing_is_sent_twice_or_without_its_intent(
    world: DatabaseWorld,
    logged: Logged,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    call: str,
    sent: int,
) -> None:
    """It breaks between the last reading and the commit of the intent, or while the DELETE is on
    its way; somebody mends it at the third try to store what came of that."""
    world.click(REQUEST, "approve", FIRST)
    broken, waited = ExitStack(), []
    real = getattr(world.appliance, call)

    def breaking(*args: Any, **more: Any) -> Any:
        outcome = real(*args, **more)
        broken.enter_context(FAULTS[name][0](world))
        return outcome

    def mended(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            broken.close()

    monkeypatch.setattr(world.appliance, call, breaking)
    object.__setattr__(world.worker.driver, "pause", mended)
    world.worker.step(Queue.DECIDE)
    with broken:
        world.worker.step(Queue.ACT)
    assert len(world.appliance.deletes) == sent
    levels = [e["log_level"] for e in named(logged, "outcome_in_hand")]
    assert levels == ["warning", "debug", "debug"]
    monkeypatch.undo()
    world.wait(30_000)
    assert world.state() is State.FOLLOWING
    world.appliance.end_task()
    world.wait(10_000)
    assert world.state() is State.SUCCEEDED
    assert len(world.appliance.deletes) == 1
    whole(world)


def test_a_fault_that_lasts_is_said_again_now_and_then(
    world: DatabaseWorld, logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, by SQLite's own code; what fits into pages that are there is still taken."""
    with world.no_page_more():
        for _ in range(2):
            with pytest.raises(StoreError):
                world.put(world.ask_event(reason=MUCH), "CCCC-DDDD")
        assert ready_problem(world.db) is None
        monkeypatch.setattr(database, "FAULT_EVERY_SECONDS", 0.0)
        with pytest.raises(StoreError):
            world.put(world.ask_event(reason=MUCH), "CCCC-DDDD")
    said = f"The disk of {world.file} is full. Free some space on it"
    lines = [event["sentence"] for event in named(logged, "database_fault")]
    assert len(lines) == 2
    assert all(line.startswith(said) for line in lines)


def test_another_file_in_its_place_is_left_alone_until_a_start(world: DatabaseWorld) -> None:
    """Half of what is in memory belongs to the old one."""
    world.at_rest()
    world.get()  # as ever, a connection is open: the old file cannot lend its number to the new one
    kept = world.file.with_suffix(".kept")
    shutil.copy(world.file, kept)
    world.file.unlink()
    shutil.copy(kept, world.file)
    before = world.file.read_bytes()
    assert "start the bot again" in (ready_problem(world.db) or "")
    with pytest.raises(StoreError, match="FileGone"):
        world.click(REQUEST, "approve", FIRST)
    assert world.file.read_bytes() == before
    with started_again(world) as again:
        assert again.state() is State.PENDING


def test_a_log_that_is_deleted_under_the_bot_is_said_and_saved_by_a_stop(
    world: DatabaseWorld,
) -> None:
    log, kept = Path(f"{world.file}-wal"), world.file.with_suffix(".kept")
    log.rename(kept)
    said = ready_problem(world.db) or ""
    assert str(log) in said
    assert "by itself" not in said
    kept.rename(log)
    assert ready_problem(world.db) is None
    world.click(REQUEST, "approve", FIRST)
    log.unlink()
    with started_again(world) as again:
        assert again.state() is State.PENDING
        again.settle()
        assert again.state() is State.FOLLOWING
        whole(again)


def test_what_others_do_with_a_database_in_use_is_no_fault(
    world: DatabaseWorld, logged: Logged, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(world.file)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        other.execute("VACUUM INTO ?", (str(tmp_path / "backup.db"),))
        other.execute("SELECT count(*) FROM requests").fetchone()
    assert ready_problem(world.db) is None
    world.db.close()  # with the last one SQLite removes the log
    assert ready_problem(world.db) is None
    assert named(logged, "database_fault") == []


def test_a_damaged_page_keeps_the_copy_out_of_service_and_every_start_from_it(
    world: DatabaseWorld, logged: Logged
) -> None:
    """To be able to write another page says nothing."""
    world.click(REQUEST, "approve", FIRST)
    world.at_rest()
    was = world.file.read_bytes()
    with closing(sqlite3.connect(world.file)) as raw:
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'requests'"
        (page,), (size,) = raw.execute(query).fetchone(), raw.execute("PRAGMA page_size").fetchone()
    with world.file.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)
    assert ready_problem(world.db) is None  # nobody has met it yet
    with pytest.raises(StoreError):
        world.settle()
    for _ in range(2):
        assert "is damaged" in (ready_problem(world.db) or "")
    assert len(named(logged, "database_fault")) == 1
    with (
        closing(Database(f"sqlite:///{world.file}")) as again,
        pytest.raises(Damaged, match=r"is damaged.*restore the backup.*DATABASE_URL names it"),
    ):
        upgrade(again)
    assert world.appliance.deletes == []
    world.close()
    world.file.write_bytes(was)
    with started_again(world) as mended:
        assert ready_problem(mended.db) is None
        mended.settle()
        assert mended.state() is State.FOLLOWING


def test_those_who_wait_for_the_file_wait_for_one_time_together(
    world: DatabaseWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each had waited for all before it: the ninth click came a minute and a half late, behind the
    back of whoever had been told by Slack that it failed."""
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 2.0)
    holder = sqlite3.connect(world.file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    began = time.monotonic()

    def stored(number: int) -> bool:
        try:
            world.put(world.ask_event(), "CCCC-DDDD")
        except StoreError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert not any(pool.map(stored, range(8)))
    assert time.monotonic() - began < 8 * 2.0 / 2
    assert "is held by another process" in (ready_problem(world.db) or "")
    holder.execute("ROLLBACK")
    holder.close()
    assert ready_problem(world.db) is None
    world.settle()
    assert world.overview.get("CCCC-DDDD") is None
