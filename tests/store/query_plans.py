"""How SQLite would run what the store asks, by its own word: whether a whole table is walked."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable

from sqlalchemy import event

from bot.store.database import Database

_BY = re.compile(r"INDEX|PRIMARY KEY")


def selects_of(db: Database, act: Callable[[], object]) -> list[str]:
    """The SELECT statements that `act` runs."""
    heard: list[str] = []

    def hear(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            heard.append(statement)

    event.listen(db.engine, "before_cursor_execute", hear)
    try:
        act()
    finally:
        event.remove(db.engine, "before_cursor_execute", hear)
    return heard


def walks(db: Database, statement: str) -> list[str]:
    """The steps that go through a whole table, instead of an index of what has not ended."""
    # `SEARCH` without an index is a walk too: that for the smallest value of a column.
    steps = plan_of(db, statement)
    return [s for s in steps if re.match(r"(SCAN|SEARCH) (?!\()", s) and not _BY.search(s)]


def plan_of(db: Database, statement: str) -> list[str]:
    """Every step of it."""
    path = db.engine.url.database
    assert path is not None
    raw = sqlite3.connect(path)
    try:
        values = ["x"] * statement.count("?")
        plan = raw.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
    finally:
        raw.close()
    return [str(step[3]) for step in plan]
