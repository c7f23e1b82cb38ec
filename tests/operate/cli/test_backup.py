"""`vr-unpair backup`: a whole copy of a database in use, that only its owner can read."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import Result

from bot.store import audit_trail as audit
from bot.store.database import Database
from bot.store.verify_audit_trail import verify_trail
from tests.store.samples import born

Run = Callable[..., Result]

WRITES_AND_DIES = """
import os, sqlite3
connection = sqlite3.connect("cli.db")
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("CREATE TABLE t (n)")
connection.execute("INSERT INTO t VALUES (7)")
connection.commit()
os._exit(0)
"""


@pytest.fixture(params=[0o000, 0o022, 0o077])
def _umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_umask")
def test_the_backup_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """With something that is not yet in the main file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", "sqlite:///cli.db")
    subprocess.run([sys.executable, "-c", WRITES_AND_DIES], cwd=tmp_path, check=True)
    assert (tmp_path / "cli.db-wal").stat().st_size > 0
    said = run("backup", "backup.db").stdout
    assert said == f"ok: backup.db, {(tmp_path / 'backup.db').stat().st_size:,} bytes\n"
    assert (tmp_path / "backup.db").stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(tmp_path / "backup.db")) as backup:
        assert backup.execute("SELECT n FROM t").fetchall() == [(7,)]
        assert backup.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_database_in_use_is_copied_as_of_one_moment(
    db: Database, run: Run, tmp_path: Path
) -> None:
    for number in range(1, 6):
        born(db, number)
    with db.write() as conn:  # another transaction is open, and none of it is in the copy
        audit.append(conn, None, [])
        conn.exec_driver_sql("DELETE FROM audit")
        run("backup", "copy.db")
    copy = Database(f"sqlite:///{tmp_path / 'copy.db'}")
    assert len(list(audit.export(copy))) == 5
    assert verify_trail(copy)[0] is None
    copy.close()


def test_what_is_there_stays(db: Database, run: Run, tmp_path: Path) -> None:
    (tmp_path / "older.db").write_bytes(b"older")
    assert "older.db exists already" in run("backup", "older.db", code=1).stderr
    assert (tmp_path / "older.db").read_bytes() == b"older"
    assert "cli.db exists already" in run("backup", "cli.db", code=1).stderr


def test_no_backup_is_made_of_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    """In another folder than the bot's: an empty copy would be found out when it is needed."""
    monkeypatch.chdir(tmp_path)
    assert "There is no database vr-unpair.db here" in run("backup", "b.db", code=1).stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_database_is_not_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vr-unpair.db").write_bytes(b"something else, longer than a header" * 100)
    assert "No backup was made" in run("backup", "b.db", code=1).stderr
    assert [p.name for p in tmp_path.iterdir()] == ["vr-unpair.db"]


def test_a_folder_that_is_not_there_is_a_sentence(db: Database, run: Run) -> None:
    assert "No backup was made: " in run("backup", "nowhere/b.db", code=1).stderr


def test_postgresql_has_a_tool_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://bot:hidden@db.example.net/unpair")
    said = run("backup", "b.db", code=2).stderr
    assert "pg_dump" in said
    assert "hidden" not in said
    assert list(tmp_path.iterdir()) == []
