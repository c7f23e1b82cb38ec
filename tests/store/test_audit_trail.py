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
        for statement in sql.split(";"):
            conn.execute(text(statement))


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
            "inserted: it is record 6 once more",
        ),
        ("UPDATE audit SET number = 99 WHERE number = 2", 2, "removed"),
        ("UPDATE audit SET previous = hash WHERE number = 3", 3, "changed"),
        (  # two that change places
            "UPDATE audit SET number = 0 WHERE number = 2;"
            "UPDATE audit SET number = 2 WHERE number = 3;"
            "UPDATE audit SET number = 3 WHERE number = 0",
            2,
            "removed or moved: what stands here was written as number 3",
        ),
        (  # one that is taken out, and the gap closed
            "DELETE FROM audit WHERE number = 4;"
            "UPDATE audit SET number = 4 WHERE number = 5;"
            "UPDATE audit SET number = 5 WHERE number = 6;"
            "UPDATE audit_head SET count = 5",
            4,
            "removed or moved: what stands here was written as number 5",
        ),
        (  # one that is put between, after the others made room
            "UPDATE audit SET number = 7 WHERE number = 6;"
            "UPDATE audit SET number = 6 WHERE number = 5;"
            "INSERT INTO audit SELECT 5, at, request_id, 'U0OTHER', action, message, before, "
            "after, detail, hash, hash FROM audit WHERE number = 4;"
            "UPDATE audit_head SET count = 7",
            5,
            "changed",
        ),
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
