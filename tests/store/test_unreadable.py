"""What a newer version has stored, or somebody's hand: it costs itself alone, and is named."""

from __future__ import annotations

import sys

import pytest
from pydantic import ValidationError
from sqlalchemy import text
from structlog.testing import capture_logs

from bot.core.entries import Answer
from bot.core.request import State
from bot.store import figures
from bot.store.claims import Claims
from bot.store.database import Database
from bot.store.lanes import Lane
from bot.store.outbox import Outbox
from bot.store.overview import Overview
from bot.store.requests import Requests
from bot.store.schema import inbox
from bot.store.wanted import add_answers
from tests.store.samples import asked, born, click, put

NEWER = "UPDATE {table} SET {column} = :begins || substr({column}, 2) WHERE {where}"
ONE, OTHER = "AAAA-0001", "AAAA-0002"


def newer(db: Database, table: str, column: str, where: str) -> None:
    """As a newer version writes it, with a field more."""
    with db.write() as conn:
        statement = text(NEWER.format(table=table, column=column, where=where))
        conn.execute(statement, {"begins": '{"new":1,'})


def store_of(db: Database) -> Claims:
    return Claims(db=db, lease_ms=60_000)


@pytest.mark.parametrize("lane", [Lane.CHECK, Lane.DECIDE, Lane.ACT])
def test_a_request_costs_itself_alone(db: Database, lane: Lane) -> None:
    state = {Lane.CHECK: State.CHECKING, Lane.DECIDE: State.PENDING, Lane.ACT: State.APPROVED}[lane]
    for number in (1, 2):
        born(db, number, state)
    newer(db, "requests", "body", f"id = '{ONE}'")
    store = store_of(db)
    with capture_logs() as logged:
        claim = store.claim(lane)
        assert claim is not None
        assert claim.request.id == OTHER
        assert store.claim(lane) is None
        store.release(claim, 10**15)
    (told,) = [e for e in logged if e["event"] == "unreadable_put_aside"]
    assert (told["what"], told["key"], told["why"]) == ("request", ONE, ["new: extra_forbidden"])
    # Nobody waits for it, either.
    assert store.next_due(lane) == 10**15
    # As it was, for a copy that can read it.
    with db.read() as conn:
        row = conn.execute(text(f"SELECT version, lease_until FROM requests WHERE id = '{ONE}'"))
        assert tuple(row.one()) == (1, 0)


def test_more_of_them_than_python_may_recurse_cost_themselves_alone(db: Database) -> None:
    put(db, ONE, "one", asked())
    newer(db, "inbox", "body", f"request_id = '{ONE}'")
    many = sys.getrecursionlimit()
    with db.write() as conn:
        names = "request_id, kind, body, response_url, at, absorbed_at"
        one = f"SELECT {names}, origin FROM inbox WHERE request_id = '{ONE}'"
        rows = [dict(row._mapping) for row in conn.execute(text(one))] * many
        conn.execute(inbox.insert(), [{**row, "origin": f"more-{n}"} for n, row in enumerate(rows)])
    put(db, OTHER, "other", asked())
    with capture_logs():
        found = store_of(db).event_without_row()
    assert found is not None
    assert found[0] == OTHER


def test_an_event_of_no_request_costs_itself_alone(db: Database) -> None:
    number = put(db, ONE, "one", asked())
    newer(db, "inbox", "body", f"request_id = '{ONE}'")
    put(db, OTHER, "other", asked())
    store = store_of(db)
    for _ in range(2):
        found = store.event_without_row()
        assert found is not None
        assert found[0] == OTHER
    assert f"event {number}" in (db.unreadable.sentence or "")


def test_a_request_with_such_an_event_waits_for_a_copy_that_can_hear_it(db: Database) -> None:
    born(db, 1, State.PENDING)
    put(db, ONE, "click")
    newer(db, "inbox", "body", f"request_id = '{ONE}'")
    store = store_of(db)
    claim = store.claim(Lane.DECIDE)
    assert claim is not None
    with pytest.raises(ValidationError):
        store.events(claim)
    store.release(claim, 1)
    assert store.claim(Lane.DECIDE) is None
    answered(db, ONE)  # whoever pressed is told that something is wrong
    due = Outbox(db).claim({})
    assert due is not None
    assert due.request_id == ONE


def answered(db: Database, request_id: str) -> None:
    number = put(db, request_id, request_id, click())
    assert number is not None
    with db.write() as conn:
        answer = Answer(event=number, code="unexpected", params={}, matters=True)
        add_answers(conn, request_id, (answer,), db.now(conn))


def test_an_answer_costs_itself_alone(db: Database) -> None:
    for request_id in (ONE, OTHER):
        answered(db, request_id)
    newer(db, "messages", "answer", f"request_id = '{ONE}'")
    box = Outbox(db)
    due = box.claim({})
    assert due is not None
    assert due.request_id == OTHER
    box.sent(due, ts=None, digest="said")
    assert box.claim({}) is None


def test_the_messages_of_such_a_request_are_left_alone(db: Database) -> None:
    for number, request_id in enumerate((ONE, OTHER), start=1):
        born(db, number, State.PENDING)
        answered(db, request_id)
    newer(db, "requests", "body", f"id = '{ONE}'")
    box = Outbox(db)
    seen = []
    while (due := box.claim({})) is not None:
        seen.append(due.request_id)
        try:
            box.request(due.request_id)
        except ValidationError:
            box.put_off(due, until=0, error="not_drawn")
            continue
        box.sent(due, ts=None, digest="said")
    assert sorted(seen) == [ONE, OTHER]


def test_lists_leave_it_out_and_name_it(db: Database) -> None:
    for number in (1, 2):
        born(db, number, State.PENDING, created_at=number)
    newer(db, "requests", "body", f"id = '{ONE}'")
    assert db.unreadable.sentence is None
    assert [r.id for r in Requests(db).newest()] == [OTHER]
    assert f"left alone: request {ONE}, since a newer version" in (db.unreadable.sentence or "")
    overview = Overview(db)
    assert [r.id for r in overview.unfinished()] == [OTHER]
    found = figures.read(db, [])
    assert found.by_state == {"pending": 2}
    assert found.oldest_ms == {"pending": found.at - 1}
    # Somebody who asks for it alone must not read that there is none.
    for get in (Requests(db).get, overview.get):
        with pytest.raises(ValidationError):
            get(ONE)
