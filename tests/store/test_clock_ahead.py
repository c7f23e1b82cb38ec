"""A lease that a clock which was ahead has stamped: no row waits for hours for a dead holder."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from bot.request.messages import Answer
from bot.request.model import State
from bot.store.database import Database
from bot.store.outbox import Outbox
from bot.store.queues import LONGEST_LEASE_MS, Queue
from bot.store.requests import Requests
from bot.store.saving import add_answers
from bot.store.schema import messages, requests
from bot.worker.drive import lease_ms
from tests.store.samples import born, click, put

HOURS_MS = 3 * 3_600_000


def test_the_longest_timeout_that_can_be_set_gives_the_longest_lease() -> None:
    assert lease_ms([300]) == LONGEST_LEASE_MS


@pytest.mark.parametrize("queue", [Queue.CHECK, Queue.DECIDE, Queue.ACT])
def test_the_lease_of_a_request_is_over(db: Database, queue: Queue) -> None:
    state = {Queue.CHECK: State.CHECKING, Queue.DECIDE: State.PENDING, Queue.ACT: State.APPROVED}[
        queue
    ]
    born(db, 1, state)
    store = Requests(db=db, lease_ms=25_000)
    claim = store.claim(queue)
    assert claim is not None

    def holds_until(lease: int) -> None:
        with db.write() as conn:
            conn.execute(update(requests).values(lease_until=lease, due_at=lease))

    holds_until(db.clock() + HOURS_MS)
    again = store.claim(queue)
    assert again is not None
    assert again.version == claim.version + 1
    holds_until(db.clock() + LONGEST_LEASE_MS - 60_000)
    assert store.claim(queue) is None


def test_what_is_due_in_hours_is_not_taken_for_such_a_lease(db: Database) -> None:
    born(db, 1, State.PENDING)
    store = Requests(db=db, lease_ms=25_000)
    claim = store.claim(Queue.DECIDE)
    assert claim is not None
    store.release(claim, db.clock() + HOURS_MS)
    assert store.claim(Queue.DECIDE) is None


def test_the_lease_of_a_message_is_over(db: Database) -> None:
    for place in ("one", "two"):  # the first holds back all others of its request
        number = put(db, "AAAA-0001", place, click())
        assert number is not None
        with db.write() as conn:
            answer = Answer(event=number, code="ended", params={}, matters=True)
            add_answers(conn, "AAAA-0001", (answer,), db.now(conn))
    box = Outbox(db)
    first = box.claim()
    assert first is not None
    assert box.claim() is None

    def held_until(lease: int) -> None:
        with db.write() as conn:
            mine = messages.c.slot == first.slot
            conn.execute(update(messages).where(mine).values(lease_until=lease))

    held_until(db.clock() + LONGEST_LEASE_MS - 60_000)
    assert box.claim() is None
    held_until(db.clock() + HOURS_MS)
    again = box.claim()
    assert again is not None
    assert again.slot == first.slot
