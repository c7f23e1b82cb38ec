"""`vr-unpair backup`: a whole copy of a database in use, that only its owner can read."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bot.store import audit_trail
from bot.store.audit_trail import verify_trail
from bot.store.database import Database
from tests.operate.cli.conftest import Run
from tests.store.samples import born

WRITES_AND_DIES = """
import os, sqlite3
connection = sqlite3.connect("vr-unpair.db")
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("CREATE TABLE t (n)")
connection.execute("INSERT INTO t VALUES (7)")
connection.commit()
os._exit(0)
"""


def test_the_backup_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """With something that is not yet in the main file."""
    monkeypatch.chdir(tmp_path)
    subprocess.run([sys.executable, "-c", WRITES_AND_DIES], cwd=tmp_path, check=True)
    assert (tmp_path / "vr-unpair.db-wal").stat().st_size > 0
    umask = os.umask(0)
    try:
        said = run("backup", "backup.db").stdout
    finally:
        os.umask(umask)
    assert said == f"ok: backup.db, {(tmp_path / 'backup.db').stat().st_size:,} bytes\n"
    assert (tmp_path / "backup.db").stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(tmp_path / "backup.db")) as backup:
        assert backup.execute("SELECT n FROM t").fetchall() == [(7,)]
        assert backup.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_database_in_use_is_copied_as_of_one_moment(db: Database, run: Run, folder: Path) -> None:
    for number in range(1, 6):
        born(db, number)
    with db.write() as conn:  # another transaction is open, and none of it is in the copy
        conn.exec_driver_sql("DELETE FROM audit")
        run("backup", "copy.db")
    copy = Database(f"sqlite:///{folder / 'copy.db'}")
    assert len(list(audit_trail.export(copy))) == 5
    assert verify_trail(copy)[0] is None
    copy.close()


@pytest.mark.parametrize(
    ("there", "to", "says"),
    [
        (b"", "older.db", "older.db exists already"),
        (None, "b.db", "There is no database vr-unpair.db here"),
        (b"something else, longer than a header" * 100, "b.db", "No backup was made"),
        (b"", "nowhere/b.db", "No backup was made"),
    ],
    ids=["not over another file", "nothing", "no database", "no folder"],
)
def test_no_backup_is_a_sentence_and_leaves_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    run: Run,
    there: bytes | None,
    to: str,
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "older.db").write_bytes(b"older")
    if there is not None:
        (tmp_path / "vr-unpair.db").write_bytes(there)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert says in run("backup", to, code=1).stderr
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_postgresql_has_a_tool_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://bot:hidden@db.example.net/unpair")
    said = run("backup", "b.db", code=2).stderr
    assert "pg_dump" in said
    assert "hidden" not in said
