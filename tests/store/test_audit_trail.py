"""The trail in the database: each hand laid on it is found, with the number of the record."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text

from bot.store import audit
from bot.store.database import Database
from tests.store.samples import entry


def filled(db: Database, records: int = 6) -> None:
    for _ in range(records):
        with db.write() as conn:
            audit.append(conn, "AAAA-0001", [entry()])


def by_hand(db: Database, sql: str) -> None:
    with db.write() as conn:
        conn.execute(text(sql))


def test_whole(db: Database) -> None:
    filled(db)
    broken, head = audit.check(db)
    assert broken is None
    assert head.count == 6
    assert audit.head(db) == head


@pytest.mark.parametrize(
    ("sql", "number", "why"),
    [
        ("UPDATE audit SET actor = 'U0OTHER' WHERE number = 3", 3, "changed"),
        ("UPDATE audit SET detail = '{}' WHERE number = 3", 3, "changed"),
        ("UPDATE audit SET detail = 'no json' WHERE number = 3", 3, "changed"),
        ("UPDATE audit SET at = at + 1 WHERE number = 3", 3, "changed"),
        ("UPDATE audit SET message = NULL WHERE number = 3", 3, "changed"),
        ("DELETE FROM audit WHERE number = 1", 1, "removed"),
        ("DELETE FROM audit WHERE number = 4", 4, "removed"),
        ("DELETE FROM audit WHERE number = 6", 6, "removed"),
        ("DELETE FROM audit WHERE number > 3", 4, "removed"),
        ("DELETE FROM audit", 1, "removed"),
        ("DELETE FROM audit_head", 1, "removed"),
        ("UPDATE audit_head SET count = 5", 6, "inserted"),
        ("UPDATE audit_head SET hash = 'x'", 6, "changed"),
        (
            "INSERT INTO audit SELECT 7, at, request_id, actor, action, message, before, after, "
            "detail, previous, hash FROM audit WHERE number = 6",
            7,
            "it does not follow",
        ),
        ("UPDATE audit SET number = 99 WHERE number = 2", 2, "removed"),
    ],
)
def test_each_hand_is_found(db: Database, sql: str, number: int, why: str) -> None:
    filled(db)
    by_hand(db, sql)
    broken, _ = audit.check(db)
    assert broken is not None
    assert broken.number == number
    assert broken.why.startswith(why)


def test_writers_at_once_keep_one_chain(db: Database) -> None:
    threads = [threading.Thread(target=filled, args=(db, 25)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    broken, head = audit.check(db)
    assert broken is None
    assert head.count == 100


def test_a_transaction_that_fails_leaves_no_record(db: Database) -> None:
    filled(db, 2)

    def fail() -> None:
        with db.write() as conn:
            audit.append(conn, "AAAA-0001", [entry()])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    broken, head = audit.check(db)
    assert broken is None
    assert head.count == 2
