"""The trail in the database: each hand laid on it is found, with the number of the record."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text

from bot.request.model import State
from bot.store import audit_trail as audit
from bot.store.database import Database
from bot.store.schema import audit as table
from bot.store.verify_audit_trail import verify_trail
from tests.store.samples import entry


def filled(db: Database, records: int = 6) -> None:
    for _ in range(records):
        with db.write() as conn:
            before = {"before": State.CHECKING}
            audit.append(conn, "AAAA-0001", [entry().model_copy(update=before)])


def by_hand(db: Database, sql: str) -> None:
    with db.write() as conn:
        for statement in sql.split(";"):
            conn.execute(text(statement))


def test_whole(db: Database) -> None:
    filled(db)
    broken, head = verify_trail(db)
    assert broken is None
    assert head.count == 6
    assert audit.head(db) == head


@pytest.mark.parametrize(
    ("sql", "number"),
    [
        ("UPDATE audit SET actor = 'U0OTHER' WHERE number = 3", 3),
        ("UPDATE audit SET detail = '{}' WHERE number = 3", 3),
        ("UPDATE audit SET detail = 'no json' WHERE number = 3", 3),
        ("UPDATE audit SET at = at + 1 WHERE number = 3", 3),
        ("UPDATE audit SET message = NULL WHERE number = 3", 3),
        ("DELETE FROM audit WHERE number = 1", 1),
        ("DELETE FROM audit WHERE number = 4", 4),
        ("DELETE FROM audit WHERE number = 6", 6),
        ("DELETE FROM audit WHERE number > 3", 4),
        ("DELETE FROM audit", 1),
        ("DELETE FROM audit_head", 1),
        ("UPDATE audit_head SET count = 5", 6),
        ("UPDATE audit_head SET hash = 'x'", 6),
        (
            "INSERT INTO audit SELECT 7, at, request_id, actor, action, message, before, after, "
            "detail, previous, hash FROM audit WHERE number = 6",
            7,
        ),
        ("UPDATE audit SET number = 99 WHERE number = 2", 2),
        ("UPDATE audit SET previous = hash WHERE number = 3", 3),
        (  # two that change places
            "UPDATE audit SET number = 0 WHERE number = 2;"
            "UPDATE audit SET number = 2 WHERE number = 3;"
            "UPDATE audit SET number = 3 WHERE number = 0",
            2,
        ),
        (  # one that is taken out, and the gap closed
            "DELETE FROM audit WHERE number = 4;"
            "UPDATE audit SET number = 4 WHERE number = 5;"
            "UPDATE audit SET number = 5 WHERE number = 6;"
            "UPDATE audit_head SET count = 5",
            4,
        ),
        (  # one that is put between, after the others made room
            "UPDATE audit SET number = 7 WHERE number = 6;"
            "UPDATE audit SET number = 6 WHERE number = 5;"
            "INSERT INTO audit SELECT 5, at, request_id, 'U0OTHER', action, message, before, "
            "after, detail, hash, hash FROM audit WHERE number = 4;"
            "UPDATE audit_head SET count = 7",
            5,
        ),
    ],
)
def test_each_hand_is_found(db: Database, sql: str, number: int) -> None:
    filled(db)
    by_hand(db, sql)
    broken, _ = verify_trail(db)
    assert broken == number


AS_BYTES = "UPDATE audit SET {0} = CAST({0} AS BLOB) WHERE number = {1}"


@pytest.mark.parametrize("number", [1, 3, 6])
@pytest.mark.parametrize("column", [c.name for c in table.columns])
def test_bytes_in_place_of_words_are_found(sqlite_db: Database, column: str, number: int) -> None:
    """SQLite keeps them in any column, and takes them for another value than the same words."""
    filled(sqlite_db)
    by_hand(sqlite_db, AS_BYTES.format(column, number))
    assert verify_trail(sqlite_db)[0] == number
    shown = [record.number for record in audit.of_request(sqlite_db, "AAAA-0001")]
    assert sorted(shown) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    "written",
    ['{"words": "größer"}', '{"words":"x","words":"größer"}', '{"words":"gr\\u00f6\\u00dfer"}'],
)
def test_other_text_for_the_same_detail_is_found(db: Database, written: str) -> None:
    filled(db)
    with db.write() as conn:
        conn.execute(table.update().where(table.c.number == 3).values(detail=written))
    assert verify_trail(db)[0] == 3
    assert written in str([r.detail for r in audit.of_request(db, "AAAA-0001")][2]["detail"])


def test_writers_at_once_keep_one_chain(db: Database) -> None:
    threads = [threading.Thread(target=filled, args=(db, 25)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    broken, head = verify_trail(db)
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
    broken, head = verify_trail(db)
    assert broken is None
    assert head.count == 2
