"""What every thread asks at every wake, and every few seconds, reads nothing that has ended."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.store.claims import Claims
from bot.store.database import Database
from bot.store.outbox import Outbox
from tests.store.query_plans import selects_of, walks


def acting(db: Database) -> None:
    requests = Claims(db=db, lease_ms=60_000)
    for checking in (False, True):
        for without in ((), ("west",)):
            requests.claim(checking=checking, without=without)
            requests.next_due(checking=checking, without=without)
    requests.unborn()


def posting(db: Database) -> None:
    outbox = Outbox(db)
    outbox.claim({})
    outbox.claim({"post": db.clock() + 1_000})
    outbox.wait(0)


@pytest.mark.parametrize(("asks", "count"), [(acting, 9), (posting, 3)])
def test_no_table_is_walked(
    sqlite_db: Database, asks: Callable[[Database], None], count: int
) -> None:
    statements = selects_of(sqlite_db, lambda: asks(sqlite_db))
    assert len(statements) == count
    assert {statement: walks(sqlite_db, statement) for statement in statements} == {
        statement: [] for statement in statements
    }
