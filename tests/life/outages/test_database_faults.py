"""Disk and database at fault: one sentence, nothing half-written, nothing sent without its intent,
and on by itself when it is over."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import SQLAlchemyError
from structlog.testing import capture_logs

from bot.request.model import State
from bot.store import database, faults, sqlite
from bot.store.database import Database
from bot.store.faults import FileGone
from bot.store.inbox import Inbox
from bot.store.migrate import Damaged, SchemaTooNew, ready_problem, upgrade
from bot.store.queues import Queue
from bot.store.verify_audit_trail import verify_trail
from bot.worker import drive as lives
from bot.worker import loop
from tests.life.outages.database_world import DatabaseWorld, damage, mend, no_byte_more
from tests.support.world import ASKER, FIRST

REQUEST = "AAAA-BBBB"
PATIENCE_SECONDS = 20.0
Logged = list[MutableMapping[str, Any]]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[DatabaseWorld]:
    made = DatabaseWorld(tmp_path / "vr-unpair.db")
    yield made
    made.close()


@pytest.fixture
def logged() -> Iterator[Logged]:
    with capture_logs() as events:
        yield events


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "QUIET_SECONDS", 0.0)
    monkeypatch.setattr(loop, "AFTER_ERROR_SECONDS", 0.01)
    monkeypatch.setattr(database, "NET_SECONDS", 0.05)
    monkeypatch.setattr(lives, "AGAIN_SECONDS", 0.01)


def named(logged: Logged, name: str) -> Logged:
    return [event for event in logged if event["event"] == name]


def wait_for(found: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not found():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.005)


def whole(world: DatabaseWorld) -> None:
    """Not a page and not a record is half-written."""
    assert world.db.damage() is None
    broken, _ = verify_trail(world.db)
    assert broken is None


def stored(world: DatabaseWorld) -> dict[str, list[Any]]:
    """Every row of every table, as another program reads it."""
    connection = sqlite3.connect(world.file)
    try:
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'shared'"
        tables = [name for (name,) in connection.execute(query)]
        return {t: connection.execute(f"SELECT * FROM {t}").fetchall() for t in tables}
    finally:
        connection.close()


class Moved(AbstractContextManager[None]):
    """The file is somewhere else meanwhile."""

    def __init__(self, world: DatabaseWorld) -> None:
        self._here = world.file
        self._there = world.file.with_suffix(".moved")

    def __enter__(self) -> None:
        self._here.rename(self._there)

    def __exit__(self, *_: object) -> None:
        self._there.rename(self._here)


FAULTS: dict[str, tuple[Callable[[DatabaseWorld], AbstractContextManager[None]], str, str]] = {
    "full": (lambda _: no_byte_more(), "cannot be read or written", "See whether it is full"),
    "read only": (DatabaseWorld.read_only, "may only be read", "Let the bot's user write"),
    "moved": (Moved, "has been deleted or moved away", "Move it back"),
}
PASSING = pytest.mark.parametrize("name", FAULTS)


# ---- each of them -----------------------------------------------------------------------------


@PASSING
def test_it_is_said_once_in_a_sentence_and_is_over_by_itself(
    world: DatabaseWorld, logged: Logged, name: str
) -> None:
    fault, what, step = FAULTS[name]
    world.pending()
    assert ready_problem(world.db) is None
    with fault(world):
        sentences = [ready_problem(world.db) for _ in range(3)]
        assert len(set(sentences)) == 1
        said = sentences[0] or ""
        assert what in said
        assert step in said
        assert str(world.file) in said
        assert said.endswith("the bot goes on by itself then.")
        for _ in range(3):
            with pytest.raises(SQLAlchemyError):
                world.click(REQUEST, "approve", FIRST)
    assert [e["sentence"] for e in named(logged, "database_fault")] == [said]
    assert named(logged, "database_back") == []
    assert ready_problem(world.db) is None
    assert len(named(logged, "database_back")) == 1
    whole(world)


@PASSING
def test_an_event_that_was_not_stored_is_an_error_for_whoever_brought_it(
    world: DatabaseWorld, logged: Logged, name: str
) -> None:
    world.pending()
    before = stored(world)
    with FAULTS[name][0](world), pytest.raises(SQLAlchemyError):
        world.click(REQUEST, "approve", FIRST)
    assert stored(world) == before
    world.settle()
    assert world.state() is State.PENDING
    world.click(REQUEST, "approve", FIRST)
    world.settle()
    assert len(world.appliance.deletes) == 1


@PASSING
def test_nothing_is_sent_without_a_stored_intent(
    world: DatabaseWorld, logged: Logged, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """It breaks between the last reading and the commit of the intent."""
    world.pending()
    world.click(REQUEST, "approve", FIRST)
    prepare = world.appliance.prepare_delete
    broken = ExitStack()

    def breaking(pairing_id: str, by: float) -> Any:
        broken.enter_context(FAULTS[name][0](world))
        return prepare(pairing_id, by)

    waited: list[float] = []

    def mended(seconds: float) -> None:
        """Somebody frees the disk while the outcome, that nothing was sent, is in hand."""
        waited.append(seconds)
        if len(waited) == 3:
            broken.close()

    monkeypatch.setattr(world.appliance, "prepare_delete", breaking)
    object.__setattr__(world.worker.lives, "pause", mended)
    world.worker.step(Queue.DECIDE)
    with broken:
        world.worker.step(Queue.ACT)
    assert world.appliance.deletes == []
    assert len(waited) == 3
    assert len(named(logged, "outcome_in_hand")) == 3
    assert [e["log_level"] for e in named(logged, "outcome_in_hand")] == [
        "warning",
        "debug",
        "debug",
    ]
    monkeypatch.undo()
    world.wait(30_000)
    assert world.state() is State.FOLLOWING
    assert len(world.appliance.deletes) == 1
    whole(world)


@PASSING
def test_an_answer_that_cannot_be_stored_is_kept_and_nothing_is_sent_twice(
    world: DatabaseWorld, logged: Logged, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    world.pending()
    world.click(REQUEST, "approve", FIRST)
    delete = world.appliance.delete
    broken, waited = ExitStack(), []

    def breaking(*args: Any, **more: Any) -> Any:
        outcome = delete(*args, **more)
        broken.enter_context(FAULTS[name][0](world))
        return outcome

    def mended(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            broken.close()

    monkeypatch.setattr(world.appliance, "delete", breaking)
    object.__setattr__(world.worker.lives, "pause", mended)
    world.worker.step(Queue.DECIDE)
    with broken:
        world.worker.step(Queue.ACT)
    monkeypatch.undo()
    world.wait(30_000)
    assert world.state() is State.FOLLOWING
    task = world.get().task
    assert task is not None
    world.appliance.end_task()
    world.wait(10_000)
    assert world.state() is State.SUCCEEDED
    assert len(world.appliance.deletes) == 1
    whole(world)


@PASSING
@pytest.mark.parametrize("gone", [True, False])
def test_an_answer_that_dies_with_the_process_is_found_by_looking(
    world: DatabaseWorld, logged: Logged, monkeypatch: pytest.MonkeyPatch, name: str, gone: bool
) -> None:
    """The database stays away, and the process that has the answer is killed."""
    world.pending()
    world.click(REQUEST, "approve", FIRST)
    delete = world.appliance.delete
    broken = ExitStack()

    def breaking(*args: Any, **more: Any) -> Any:
        outcome = delete(*args, **more)
        broken.enter_context(FAULTS[name][0](world))
        return outcome

    class Killed(BaseException):
        pass

    def dies(_seconds: float) -> None:
        raise Killed

    monkeypatch.setattr(world.appliance, "delete", breaking)
    object.__setattr__(world.worker.lives, "pause", dies)
    world.worker.step(Queue.DECIDE)
    with broken, pytest.raises(Killed):
        world.worker.step(Queue.ACT)
    monkeypatch.undo()
    assert world.state() is State.DELETING
    if gone:
        world.appliance.tasks.clear()
        world.appliance.present = False
    world.worker = world.new_worker()
    world.wait(30_000)
    assert world.state() is (State.SUCCEEDED if gone else State.FOLLOWING)
    assert len(world.appliance.deletes) == 1
    whole(world)


@PASSING
def test_the_threads_say_it_once_and_go_on_by_themselves(
    world: DatabaseWorld, logged: Logged, name: str
) -> None:
    world.pending()
    world.click(REQUEST, "approve", FIRST)
    with FAULTS[name][0](world):
        world.worker.start()
        wait_for(lambda: len(named(logged, "step_waits")) > 20)
    wait_for(lambda: world.appliance.deletes)
    world.worker.stop(PATIENCE_SECONDS)
    assert len(named(logged, "database_fault")) == 1
    assert named(logged, "step_failed") == []
    assert {e["log_level"] for e in named(logged, "step_waits")} == {"debug"}
    assert len(world.appliance.deletes) == 1
    whole(world)


# ---- one by one -------------------------------------------------------------------------------


def test_a_full_disk_is_called_one(world: DatabaseWorld, logged: Logged) -> None:
    """SQLite's own code for it; what fits into pages that are there is still taken."""
    world.pending()
    before = stored(world)
    with world.no_page_more(), pytest.raises(SQLAlchemyError):
        world.put(world.ask_event(reason="x" * 20_000), "CCCC-DDDD")
    assert stored(world) == before
    (told,) = named(logged, "database_fault")
    assert told["sentence"] == (
        f"The disk of {world.file} is full. Free some space on it: the bot goes on by itself then."
    )
    world.put(world.ask_event(requester=ASKER, reason="x" * 20_000), "CCCC-DDDD")
    whole(world)


def test_a_disk_that_takes_a_little_now_and_then_is_no_flood_of_lines(
    world: DatabaseWorld, logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "QUIET_SECONDS", 60.0)
    world.pending()
    for _ in range(5):
        with world.no_page_more(), pytest.raises(SQLAlchemyError):
            world.put(world.ask_event(reason="x" * 20_000), "CCCC-DDDD")
        assert ready_problem(world.db) is None
    assert len(named(logged, "database_fault")) == 1
    assert named(logged, "database_back") == []


def test_a_file_that_was_moved_is_never_made_anew(world: DatabaseWorld, logged: Logged) -> None:
    """Not by a new connection either: it would be empty, and nobody would look for the old one."""
    world.pending()
    with Moved(world):
        world.fresh_connections()
        with pytest.raises(FileGone):
            world.click(REQUEST, "approve", FIRST)
        assert not world.file.exists()
    world.click(REQUEST, "approve", FIRST)
    world.settle()
    assert world.state() is State.FOLLOWING


def test_another_file_in_its_place_is_left_alone_until_a_start(
    world: DatabaseWorld, logged: Logged
) -> None:
    """Half of what is in memory belongs to the old one."""
    world.pending()
    world.at_rest()
    world.get()  # as ever, a connection is open: the old file cannot lend its number to the new one
    kept = world.file.with_suffix(".kept")
    shutil.copy(world.file, kept)
    world.file.unlink()
    shutil.copy(kept, world.file)
    before = world.file.read_bytes()
    said = ready_problem(world.db) or ""
    assert "Another file has been put in the place" in said
    assert "Start the bot again" in said
    assert "by itself" not in said
    with pytest.raises(FileGone):
        world.click(REQUEST, "approve", FIRST)
    assert world.file.read_bytes() == before
    world.close()
    again = DatabaseWorld(world.file)
    assert again.state() is State.PENDING
    again.close()


@pytest.mark.parametrize("replaced", [False, True], ids=["deleted", "replaced"])
def test_a_log_that_is_deleted_under_the_bot_is_said_and_saved_by_a_stop(
    world: DatabaseWorld, replaced: bool
) -> None:
    world.pending()
    log, kept = Path(f"{world.file}-wal"), world.file.with_suffix(".kept")
    log.rename(kept)
    if replaced:
        log.touch()
    said = ready_problem(world.db) or ""
    assert f"{log} has been deleted, moved away or replaced" in said
    assert "Stop the bot without killing it" in said
    assert "by itself" not in said
    world.close()
    again = DatabaseWorld(world.file)
    assert again.state() is State.PENDING
    whole(again)
    again.close()


def test_a_log_that_is_moved_back_is_no_fault(world: DatabaseWorld) -> None:
    world.pending()
    log, kept = Path(f"{world.file}-wal"), world.file.with_suffix(".kept")
    log.rename(kept)
    assert ready_problem(world.db) is not None
    kept.rename(log)
    assert ready_problem(world.db) is None
    world.click(REQUEST, "approve", FIRST)
    world.settle()
    assert world.state() is State.FOLLOWING


def test_what_others_do_with_a_database_in_use_is_no_fault(
    world: DatabaseWorld, logged: Logged, tmp_path: Path
) -> None:
    world.pending()
    with closing(sqlite3.connect(world.file)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        other.execute("VACUUM INTO ?", (str(tmp_path / "backup.db"),))
        other.execute("SELECT count(*) FROM requests").fetchone()
    assert ready_problem(world.db) is None
    world.fresh_connections()  # with the last one SQLite removes the log
    assert ready_problem(world.db) is None
    assert named(logged, "database_fault") == []


def test_damage_under_the_bot_is_told_until_the_file_is_whole(
    world: DatabaseWorld, logged: Logged
) -> None:
    world.pending()
    world.click(REQUEST, "approve", FIRST)
    world.at_rest()
    was = damage(world.file)
    with pytest.raises(SQLAlchemyError):
        world.settle()
    assert world.appliance.deletes == []
    said = ready_problem(world.db) or ""
    assert "is damaged, or is no database" in said
    assert "restore the backup" in said
    mend(world.file, was)
    world.fresh_connections()
    assert ready_problem(world.db) is None
    assert len(named(logged, "database_fault")) == len(named(logged, "database_back")) == 1
    world.wait(30_000)
    assert world.state() is State.FOLLOWING
    assert len(world.appliance.deletes) == 1
    whole(world)


def test_a_damaged_page_that_only_some_need_keeps_the_copy_out_of_service(
    world: DatabaseWorld, logged: Logged
) -> None:
    """To be able to write another page says nothing."""
    world.pending()
    world.at_rest()
    with sqlite3.connect(world.file) as raw:
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'requests'"
        page = raw.execute(query).fetchone()[0]
        size = raw.execute("PRAGMA page_size").fetchone()[0]
    raw.close()
    with world.file.open("r+b") as file:
        file.seek((page - 1) * size)
        was = file.read(size)
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)
    assert ready_problem(world.db) is None  # nobody has met it yet
    with pytest.raises(SQLAlchemyError):
        world.get()
    assert "is damaged" in (ready_problem(world.db) or "")
    assert "is damaged" in (ready_problem(world.db) or "")
    with world.file.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(was)
    world.fresh_connections()
    assert ready_problem(world.db) is None
    assert world.state() is State.PENDING


def test_a_damaged_file_is_not_worked_on_by_a_start(world: DatabaseWorld) -> None:
    world.pending()
    world.at_rest()
    with sqlite3.connect(world.file) as raw:
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'audit'"
        page = raw.execute(query).fetchone()[0]
        size = raw.execute("PRAGMA page_size").fetchone()[0]
    raw.close()
    with world.file.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)
    again = Database(f"sqlite:///{world.file}")
    with pytest.raises(Damaged, match=r"is damaged.*restore the backup.*DATABASE_URL names it"):
        upgrade(again)
    again.close()


def test_a_schema_from_a_newer_version_under_the_bot(world: DatabaseWorld) -> None:
    world.pending()
    with sqlite3.connect(world.file) as raw:
        raw.execute("UPDATE schema_info SET oldest_program = '99.0.0'")
    raw.close()
    with pytest.raises(SchemaTooNew, match=r"oldest that may work on it is 99\.0\.0"):
        ready_problem(world.db)


def test_a_pool_that_ran_dry(
    tmp_path: Path, logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "CONNECTIONS", 1)
    monkeypatch.setattr(sqlite, "POOL_SECONDS", 0.05)
    world = DatabaseWorld(tmp_path / "small.db")
    world.pending()
    with ExitStack() as held:
        overflow = world.db.engine.pool._max_overflow  # type: ignore[attr-defined]
        for _ in range(1 + overflow):
            held.enter_context(world.db.read())
        said = ready_problem(world.db) or ""
        assert "All connections of the bot to" in said
        with pytest.raises(SQLAlchemyError):
            world.click(REQUEST, "approve", FIRST)
    assert ready_problem(world.db) is None
    assert len(named(logged, "database_fault")) == len(named(logged, "database_back")) == 1
    world.click(REQUEST, "approve", FIRST)
    world.settle()
    assert world.state() is State.FOLLOWING
    world.close()


def test_somebody_who_holds_the_file(
    tmp_path: Path, logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    world = DatabaseWorld(tmp_path / "held.db")
    world.pending()
    raw = sqlite3.connect(world.file, isolation_level=None)
    raw.execute("BEGIN IMMEDIATE")
    said = ready_problem(world.db) or ""
    assert "is held by another process" in said
    raw.execute("ROLLBACK")
    raw.close()
    assert ready_problem(world.db) is None
    world.close()


@pytest.mark.parametrize("within_s", [None, 0.2])
def test_those_who_wait_for_the_file_wait_for_one_time_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, within_s: float | None
) -> None:
    """Each had waited for all before it: the ninth click came a minute and a half late, behind the
    back of whoever had been told by Slack that it failed."""
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.2 if within_s is None else 60)
    world = DatabaseWorld(tmp_path / "held.db")
    world.pending()
    raw = sqlite3.connect(world.file, isolation_level=None)
    raw.execute("BEGIN IMMEDIATE")
    inbox, began = Inbox(world.db, within_s), time.monotonic()

    def stored(number: int) -> bool:
        try:
            inbox.put(world.ask_event(), origin=f"waits-{number}", request_id="CCCC-DDDD")
        except SQLAlchemyError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert not any(pool.map(stored, range(8)))
    assert time.monotonic() - began < 8 * 0.2 / 2
    raw.execute("ROLLBACK")
    raw.close()
    world.settle()
    assert world.overview.get("CCCC-DDDD") is None
    world.close()


def test_whoever_tells_of_it_at_the_same_time_tells_it_once(
    world: DatabaseWorld, logged: Logged
) -> None:
    def meets() -> None:
        for _ in range(20):
            with pytest.raises(FileGone), world.db.write():
                pass

    with Moved(world):
        threads = [threading.Thread(target=meets) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(named(logged, "database_fault")) == 1
