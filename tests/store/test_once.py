"""What is stored, answered or shown once, and what becomes due although somebody has died."""

from __future__ import annotations

import threading

from sqlalchemy import func, select

from bot.request.messages import Answer
from bot.request.model import Decision, State
from bot.store import shared
from bot.store.database import Database
from bot.store.outbox import Outbox
from bot.store.queues import Queue
from bot.store.requests import Requests
from bot.store.saving import Saving
from bot.store.schema import audit, messages
from tests.rules.samples import snapshot
from tests.store.samples import born, entry, put

HOUR_MS = 3_600_000


def test_a_dead_holders_row_is_due_when_its_lease_is_over(db: Database) -> None:
    """It had absorbed the event that made the row due; the time set before is an hour away."""
    made = born(db, 1, State.PENDING)
    store = Requests(db=db, lease_ms=0)
    claim = store.claim(Queue.DECIDE)
    assert claim is not None
    store.release(claim, db.clock() + HOUR_MS)
    assert store.claim(Queue.DECIDE) is None
    number = put(db, made.id, "click")
    claim = store.claim(Queue.DECIDE)
    assert claim is not None
    store.save(claim, Saving(request=made, absorbed=number or 0))
    assert store.claim(Queue.DECIDE) is not None


def test_of_two_copies_one_answers_what_has_no_request(db: Database) -> None:
    number = put(db, "GONE-0001", "click")
    store = Requests(db=db, lease_ms=25_000)
    waiting = store.event_without_row()
    assert waiting is not None
    answers = (Answer(event=number or 0, code="ended"),)
    for _copy in range(2):
        store.dismiss("GONE-0001", waiting[1], answers, (entry(),))
    with db.read() as conn:
        assert conn.execute(select(func.count()).select_from(audit)).scalar_one() == 1
        assert conn.execute(select(func.count()).select_from(messages)).scalar_one() == 1


def test_what_changes_while_a_message_is_sent_is_shown_afterwards(db: Database) -> None:
    made = born(db, 1, State.PENDING, snapshot=snapshot())
    store, box = Requests(db=db, lease_ms=25_000), Outbox(db)
    due = box.claim()
    claim = store.claim(Queue.DECIDE)
    assert due is not None
    assert claim is not None
    approved = (Decision(by="U0FIRST", at=1),)
    store.save(claim, Saving(request=made.model_copy(update={"approvals": approved})))
    box.sent(due, ts="1.0", digest="first")
    again = box.claim()
    assert again is not None
    assert again.wanted > due.wanted
    box.sent(again, ts="1.0", digest="second")
    assert box.claim() is None


def test_what_copies_share_is_changed_by_one_after_the_other(db: Database) -> None:
    """Such as the calls to an appliance: of two that read the same number, one would be lost."""

    def count() -> None:
        for _ in range(20):
            shared.change(db, "calls", lambda value, _now: str(int(value or 0) + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = shared.read(db, "calls")
    assert stored is not None
    assert stored[0] == "80"
