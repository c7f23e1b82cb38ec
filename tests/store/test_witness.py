"""The record that a final reply shows: found again for ever, by request and by head."""

from __future__ import annotations

import pytest

from bot.request.audit_chain import STARTED, Entry
from bot.request.model import SHORT, Outcome, Request, State, Witness
from bot.store import audit_trail as audit
from bot.store.audit_trail import note_start
from bot.store.database import Database
from bot.store.verify_audit_trail import verify_trail
from tests.rules.samples import running
from tests.store.samples import born, entry, step


def witnessed(db: Database, request: Request) -> Request:
    with db.read() as conn:
        return audit.witnessed(conn, request)


def test_the_record_that_ended_a_request_is_its_witness_whatever_comes_after(db: Database) -> None:
    made = born(db, 1, State.SUCCEEDED, outcome=Outcome(code="proved"))
    other = born(db, 2, State.FAILED, outcome=Outcome(code="delete_refused"))
    step(db, made.id, State.FOLLOWING, State.FOLLOWING, "task")
    step(db, made.id, State.FOLLOWING, State.FOLLOWING, "click_refused")
    witness = step(db, made.id, State.FOLLOWING, State.SUCCEEDED, "succeeded")

    def shown() -> Witness | None:
        drawn_from = witnessed(db, made)
        assert drawn_from.corrected_in is None
        return drawn_from.ended_in

    assert shown() == witness
    step(db, other.id, State.DELETING, State.FAILED, "failed")
    step(db, made.id, State.SUCCEEDED, State.SUCCEEDED, "click_refused")
    assert shown() == witness


def test_a_correction_has_a_witness_of_its_own(db: Database) -> None:
    made = born(
        db,
        1,
        State.SUCCEEDED,
        outcome=Outcome(code="outcome_unknown"),
        correction=Outcome(code="look_gone"),
    )
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


def test_a_head_is_found_by_what_is_shown_of_it(db: Database) -> None:
    for _ in range(3):
        with db.write() as conn:
            audit.append(conn, "AAAA-0001", [entry()])
    second = list(audit.export(db))[1]
    for length in (SHORT, 64):
        assert audit.with_head(db, second.hash[:length]) == second
    assert audit.with_head(db, "f" * SHORT) is None


def test_each_start_leaves_one_record_with_what_changed(db: Database) -> None:
    note_start(db, running())
    with db.write() as conn:
        audit.append(conn, None, [_of_no_request()])
    note_start(db, running())
    note_start(db, running(dry_run=False))
    starts = [r for r in audit.export(db) if r.action == STARTED]
    assert [r.detail.get("changed") for r in starts] == [
        None,
        {},
        {"dry_run": {"before": True, "after": False}},
    ]
    assert {r.request_id for r in starts} == {None}
    assert verify_trail(db)[0] is None


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit SET detail = '[1]' WHERE number = 1",
        "UPDATE audit SET at = 'noon' WHERE number = 1",
        "UPDATE audit SET actor = x'00ff' WHERE number = 1",
    ],
)
def test_what_cannot_be_read_is_named_and_exported(sqlite_db: Database, sql: str) -> None:
    """SQLite takes any value in any column."""
    with sqlite_db.write() as conn:
        audit.append(conn, "AAAA-0001", [entry(), entry()])
    with sqlite_db.write() as conn:
        conn.exec_driver_sql(sql)
    broken, _ = verify_trail(sqlite_db)
    assert broken is not None
    assert broken == 1
    assert [r.number for r in audit.export(sqlite_db)] == [1, 2]


def _of_no_request() -> Entry:
    return entry("ask_refused").model_copy(update={"after": None})
