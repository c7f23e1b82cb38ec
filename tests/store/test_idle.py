"""What every thread asks at every wake, and what `/metrics` asks, reads nothing that has ended: by
SQLite's own word for how it would run it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable

import pytest
from sqlalchemy import event

from bot.store import queries
from bot.store.database import Database
from bot.store.outbox import Outbox
from bot.store.queues import Queue
from bot.store.requests import Requests
from bot.store.slack_pauses import Pauses

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


def acting(db: Database) -> None:
    requests = Requests(db=db, lease_ms=60_000)
    for queue in Queue:
        requests.claim(queue, wait_s=0.001)
        requests.claim(queue, wait_s=0.001, left=("berlin", "oslo"))
    requests.event_without_row()


def posting(db: Database) -> None:
    outbox = Outbox(db, 25_000)
    outbox.claim()
    Pauses(db).hold("chat.postMessage", 1)
    outbox.claim()
    outbox.wait_for_next(0.001)


def scraped(db: Database) -> None:
    queries.figures(db, ["budget:west"])


@pytest.mark.parametrize(("asks", "count"), [(acting, 13), (posting, 6), (scraped, 5)])
def test_no_table_is_walked(
    sqlite_db: Database, asks: Callable[[Database], None], count: int
) -> None:
    statements = selects_of(sqlite_db, lambda: asks(sqlite_db))
    assert len(statements) == count
    assert {statement: walks(sqlite_db, statement) for statement in statements} == {
        statement: [] for statement in statements
    }


def test_nobody_goes_by_the_state_alone(sqlite_db: Database) -> None:
    """Of `attention` there may be years: it is an end, and the work of those who act as well."""
    steps = [
        step
        for statement in selects_of(sqlite_db, lambda: acting(sqlite_db))
        for step in plan_of(sqlite_db, statement)
    ]
    assert [step for step in steps if "requests_by_state" in step] == []
