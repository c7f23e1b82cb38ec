"""A start does not read a large file completely, and still finds what would let a second request of
a pairing in."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import event

from bot.request.model import State
from bot.store import sqlite
from bot.store.database import Database
from bot.store.migrate import Damaged, upgrade
from tests.store.samples import born


@pytest.fixture
def _large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "WHOLE_UP_TO", 0)


def statements(db: Database) -> list[str]:
    heard: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: heard.append(args[2]))
    upgrade(db)
    return heard


@pytest.mark.usefixtures("_large")
def test_the_trail_is_not_read_at_a_start(sqlite_db: Database) -> None:
    born(sqlite_db, 1)
    heard = statements(sqlite_db)
    checked = [statement for statement in heard if "quick_check" in statement]
    assert checked == [
        "PRAGMA quick_check(inbox)",
        "PRAGMA quick_check(messages)",
        "PRAGMA quick_check(shared)",
        "PRAGMA quick_check(audit_head)",
    ]


def test_a_small_file_is_checked_completely(sqlite_db: Database) -> None:
    checked = [s for s in statements(sqlite_db) if "quick_check" in s]
    assert checked == ["PRAGMA quick_check(1)"]


def test_a_new_connection_waits_for_nobody_who_writes(sqlite_db: Database) -> None:
    with sqlite_db.write():
        sqlite_db.engine.dispose()
        with sqlite_db.read() as conn:
            assert conn.exec_driver_sql("PRAGMA auto_vacuum").scalar_one() == 2


@pytest.mark.usefixtures("_large")
def test_a_new_file_is_none_that_is_damaged(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path}/new.db")
    upgrade(db)
    upgrade(db)
    db.close()


@pytest.mark.usefixtures("_large")
def test_an_open_request_that_its_index_lacks_ends_the_start(
    sqlite_db: Database, sqlite_url: str, tmp_path: Path
) -> None:
    born(sqlite_db, 1, State.PENDING, pairing_id="p1")
    assert sqlite_db.damage(whole=False) is None
    sqlite_db.close()
    index = "one_open_request_per_pairing"
    conn = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
    (sql,) = conn.execute(f"SELECT sql FROM sqlite_master WHERE name = '{index}'").fetchone()
    conn.execute(f"DROP INDEX {index}")
    conn.execute(sql.replace("'pending'", "'nothing'"))
    conn.execute("PRAGMA writable_schema = ON")
    conn.execute("UPDATE sqlite_master SET sql = ? WHERE name = ?", (sql, index))
    conn.close()
    db = Database(sqlite_url)
    assert "lacks some" in (db.damage(whole=False) or "")
    with pytest.raises(Damaged, match="is damaged"):
        upgrade(db)
    db.close()
