"""What every thread asks at every wake, and every few seconds, reads nothing that has ended."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.store.database import Database
from bot.store.outbox import Outbox, Pauses
from bot.store.queues import Queue
from bot.store.requests import Requests
from tests.store.query_plans import plan_of, selects_of, walks


def acting(db: Database) -> None:
    requests = Requests(db=db, lease_ms=60_000)
    for queue in Queue:
        requests.claim(queue, wait_s=0.001)
        requests.claim(queue, wait_s=0.001, left=("berlin", "oslo"))
    requests.event_without_row()


def posting(db: Database) -> None:
    outbox = Outbox(db)
    outbox.claim()
    Pauses(db).hold("chat.postMessage", 1)
    outbox.claim(0.001)


@pytest.mark.parametrize(("asks", "count"), [(acting, 13), (posting, 6)])
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
