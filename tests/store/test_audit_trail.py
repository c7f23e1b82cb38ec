"""The trail in the database: each hand laid on it is found, with the number of the record, and the
record that a final reply shows is found again for ever."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from bot.request.audit_chain import STARTED
from bot.request.model import Outcome, Request, State, Witness
from bot.store import audit_trail as audit
from bot.store.audit_trail import note_start, verify_trail
from bot.store.database import Database
from bot.store.schema import audit as table
from tests.rules.samples import running
from tests.store.samples import a_key, born, entry, step, together


def filled(db: Database, records: int = 6) -> None:
    for _ in range(records):
        with db.write() as conn:
            before = {"before": State.CHECKING}
            audit.append(conn, "AAAA-0001", [entry().model_copy(update=before)])


def by_hand(db: Database, sql: str) -> None:
    with db.write() as conn:
        conn.execute(text(sql))


def witnessed(db: Database, request: Request) -> Request:
    with db.read() as conn:
        return audit.witnessed(conn, request)


# ---- whole, or not -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "number"),
    [
        ("UPDATE audit SET actor = 'U0OTHER' WHERE number = 3", 3),
        ("UPDATE audit SET detail = 'no json' WHERE number = 3", 3),
        ("UPDATE audit SET message = NULL WHERE number = 3", 3),
        ("DELETE FROM audit WHERE number = 1", 1),
        ("DELETE FROM audit WHERE number > 3", 4),
        ("DELETE FROM audit", 1),
        ("DELETE FROM audit_head", 1),
        ("UPDATE audit_head SET count = 5", 6),
        ("UPDATE audit_head SET hash = 'x'", 6),
    ],
)
def test_each_hand_is_found(db: Database, sql: str, number: int) -> None:
    """In the database. `tests/rules/test_audit_chain.py` has what else can be done to a chain."""
    filled(db)
    by_hand(db, sql)
    broken, _ = verify_trail(db)
    assert broken == number


@pytest.mark.parametrize("column", [c.name for c in table.columns])
def test_bytes_in_place_of_words_are_found(sqlite_db: Database, column: str) -> None:
    """SQLite keeps them in any column, and takes them for another value than the same words."""
    sqlite_db.signer = a_key()
    filled(sqlite_db, 5)
    by_hand(sqlite_db, f"UPDATE audit SET {column} = CAST({column} AS BLOB) WHERE number = 3")
    assert verify_trail(sqlite_db)[0] == 3
    shown = [record.number for record in audit.of_request(sqlite_db, "AAAA-0001")]
    assert sorted(shown) == [2, 3, 4, 5, 6]  # the first one lists the key


@pytest.mark.parametrize(
    "written",
    ['{"words": "größer"}', '{"words":"x","words":"größer"}', '{"words":"gr\\u00f6\\u00dfer"}'],
)
def test_other_text_for_the_same_detail_is_found(db: Database, written: str) -> None:
    filled(db)
    with db.write() as conn:
        conn.execute(table.update().where(table.c.number == 3).values(detail=written))
    assert verify_trail(db)[0] == 3
    assert written in str(audit.of_request(db, "AAAA-0001")[2].detail["detail"])


@pytest.mark.parametrize("value", ["detail = '[1]'", "at = 'noon'", "actor = x'00ff'"])
def test_what_cannot_be_read_is_named_and_exported(sqlite_db: Database, value: str) -> None:
    """SQLite takes any value in any column."""
    filled(sqlite_db, 2)
    by_hand(sqlite_db, f"UPDATE audit SET {value} WHERE number = 1")
    assert verify_trail(sqlite_db)[0] == 1
    assert [r.number for r in audit.export(sqlite_db)] == [1, 2]


def test_writers_at_once_keep_one_chain(db: Database) -> None:
    together(*[lambda: filled(db, 25)] * 4)
    broken, head = verify_trail(db)
    assert (broken, head.count) == (None, 100)
    assert audit.head(db) == head


# ---- found again ---------------------------------------------------------------------------------


def test_the_record_that_ended_a_request_is_its_witness_whatever_comes_after(db: Database) -> None:
    made = born(db, 1, State.SUCCEEDED, outcome=Outcome(code="proved"))
    step(db, made.id, State.FOLLOWING, State.FOLLOWING, "click_refused")
    witness = step(db, made.id, State.FOLLOWING, State.SUCCEEDED, "succeeded")
    for _ in range(2):
        shown = witnessed(db, made)
        assert (shown.ended_in, shown.corrected_in) == (witness, None)
        step(db, "AAAA-0002", State.DELETING, State.FAILED, "failed")
        step(db, made.id, State.SUCCEEDED, State.SUCCEEDED, "click_refused")


def test_a_correction_has_a_witness_of_its_own(db: Database) -> None:
    ends = {"outcome": Outcome(code="outcome_unknown"), "correction": Outcome(code="look_gone")}
    made = born(db, 1, State.SUCCEEDED, **ends)
    first = step(db, made.id, State.DELETING, State.ATTENTION, "attention")
    step(db, made.id, State.ATTENTION, State.ATTENTION, "looked")
    second = step(db, made.id, State.ATTENTION, State.SUCCEEDED, "corrected")
    request = witnessed(db, made)
    assert (request.ended_in, request.corrected_in) == (first, second)


def test_an_open_request_has_none_and_the_row_stores_none(db: Database) -> None:
    made = born(db, 1, State.PENDING)
    assert witnessed(db, made) == made
    with_one = made.model_copy(update={"ended_in": Witness(number=1, hash="a" * 64)})
    assert with_one.model_dump_json() == made.model_dump_json()


def test_each_start_leaves_one_record_with_what_changed(db: Database) -> None:
    note_start(db, running())
    with db.write() as conn:
        audit.append(conn, None, [entry("ask_refused").model_copy(update={"after": None})])
    note_start(db, running())
    note_start(db, running(dry_run=False))
    starts = [r for r in audit.export(db) if r.action == STARTED]
    changed = {"dry_run": {"before": True, "after": False}}
    assert [r.detail.get("changed") for r in starts] == [None, {}, changed]
    assert {r.request_id for r in starts} == {None}
    assert verify_trail(db)[0] is None
