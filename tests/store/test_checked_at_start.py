"""A start checks a small file completely, and of a large one what decides."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import event

from bot.store import sqlite
from bot.store.database import Database
from bot.store.migrate import upgrade


@pytest.mark.parametrize(
    ("whole_up_to", "checked"),
    [(sqlite.WHOLE_UP_TO, ["1"]), (0, ["inbox", "messages", "shared", "audit_head"])],
)
def test_the_trail_of_a_large_file_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole_up_to: int, checked: list[str]
) -> None:
    monkeypatch.setattr(sqlite, "WHOLE_UP_TO", whole_up_to)
    db = Database(f"sqlite:///{tmp_path}/new.db")
    heard: list[str] = []
    upgrade(db)
    event.listen(db.engine, "before_cursor_execute", lambda *args: heard.append(args[2]))
    upgrade(db)
    db.close()
    checks = [statement for statement in heard if "quick_check" in statement]
    assert checks == [f"PRAGMA quick_check({what})" for what in checked]


def test_a_new_connection_waits_for_nobody_who_writes(sqlite_db: Database) -> None:
    with sqlite_db.write():
        sqlite_db.engine.dispose()
        with sqlite_db.read() as conn:
            assert conn.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
