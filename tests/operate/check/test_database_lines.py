"""The database's lines: nothing is made or changed, whatever is wrong."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.operate import check
from bot.operate.health import Result
from bot.store.database import Database
from bot.store.migrate import upgrade


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database as `run` leaves it."""
    path = tmp_path / "bot.db"
    db = Database(f"sqlite:///{path}")
    upgrade(db)
    db.close()
    return path


def url(file: Path) -> str:
    return f"sqlite:///{file}"


def test_fine_and_untouched(file: Path) -> None:
    before = file.read_bytes(), file.stat().st_mtime_ns
    database = check.database(url(file))
    schema = check.schema(url(file))
    assert (database.result, schema.result) == (Result.OK, Result.OK)
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before
    assert [path.name for path in file.parent.iterdir()] == ["bot.db"]


def test_a_writer_that_never_ends(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "BUSY_SECONDS", 0.1)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    database = check.database(url(file))
    other.close()
    assert database.result is Result.WRONG
    assert "locked" in database.words


def test_it_gives_the_right_to_write_back(file: Path) -> None:
    check.database(url(file))
    check.schema(url(file))
    other = sqlite3.connect(file, isolation_level=None, timeout=0)
    other.execute("BEGIN IMMEDIATE")
    other.close()


@pytest.fixture
def somebody_else() -> Iterator[Path]:
    """A folder where everybody may write, by a user who may not do everything."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    me = os.geteuid()
    yield folder
    os.seteuid(me)
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("of_file", "of_folder", "says"), [(0o444, 0o777, "only be read"), (0o400, 0o555, "opened")]
)
def test_permissions(somebody_else: Path, of_file: int, of_folder: int, says: str) -> None:
    path = somebody_else / "bot.db"
    db = Database(url(path))
    upgrade(db)
    db.close()
    path.chmod(of_file)
    somebody_else.chmod(of_folder)
    if os.geteuid() == 0:
        os.seteuid(65534)
    elif of_file == 0o400:
        path.chmod(0)
    database = check.database(url(path))
    assert database.result is Result.WRONG
    assert says in database.words
    assert "let the bot's user write" in database.next_step


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    database = check.database(url(tmp_path))
    assert database.result is Result.WRONG
    assert "unable to open" in database.words


def test_a_database_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as conn:
        conn.execute("CREATE TABLE something (x)")
    conn.close()
    schema = check.schema(url(path))
    assert schema.result is Result.NOTE
    assert check.stored_budget(url(path), "default") is None


def test_what_is_not_there_is_not_made(tmp_path: Path) -> None:
    missing = tmp_path / "none.db"
    database = check.database(url(missing))
    schema = check.schema(url(missing))
    assert (database.result, schema.result) == (Result.NOTE, Result.NOTE)
    assert check.stored_budget(url(missing), "default") is None
    assert not missing.exists()


def test_a_server_that_is_away_is_told_without_its_password() -> None:
    address = "postgresql+psycopg://bot:not-a-real-one@127.0.0.1:1/vr"
    database = check.database(address)
    assert database.result is Result.WRONG
    assert "The database vr at 127.0.0.1" in database.words
    assert "not-a-real-one" not in database.words
