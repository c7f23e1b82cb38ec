"""What is stored, answered or shown once, whoever else is at it."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from functools import partial

import pytest
from sqlalchemy import delete, func, insert, select, update
from structlog.testing import capture_logs

from bot.request.absorb import Dismissed
from bot.request.event_changes import Absorbed
from bot.request.messages import Answer
from bot.request.model import Decision, Outcome, State
from bot.store.database import Database, change_shared, read_shared
from bot.store.faults import StoreError
from bot.store.inbox import Inbox
from bot.store.migrate import upgrade
from bot.store.outbox import Outbox
from bot.store.per_person import AT_ONCE, EVERY_MS, TooOften
from bot.store.queues import LONGEST_LEASE_MS, Queue
from bot.store.requests import Requests
from bot.store.saving import BEHIND_THE_DELETE_MS, add_answers, messages_due_at
from bot.store.schema import audit, inbox, messages, requests
from bot.store.set_aside import Unreadable
from tests.rules.samples import asked
from tests.store.samples import born, click, entry, put, request, together
from tests.support.clock import Clock
from tests.support.world import PATIENCE_SECONDS, snapshot


def test_the_same_origin_is_stored_once(db: Database) -> None:
    numbers: list[int | None] = []
    together(*[lambda: numbers.append(put(db, "AAAA-0001", "trigger", asked()))] * 8)
    assert sorted(n is None for n in numbers) == [False] + [True] * 7


def test_a_click_that_has_to_wait_is_not_stored_after_its_time(db: Database) -> None:
    """Whoever pressed has been told by then that it may not have been taken."""
    made = born(db, 1, State.PENDING, snapshot=snapshot())
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with db.write() as conn:
            conn.execute(update(requests).where(requests.c.id == made.id).values(version=2))
            held.set()
            let_go.wait(PATIENCE_SECONDS)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(PATIENCE_SECONDS)
    with pytest.raises(StoreError):
        Inbox(db, within_s=0.2).put(click(), origin="click", request_id=made.id)
    let_go.set()
    holder.join()
    assert put(db, made.id, "click") is not None, "it was not stored"


def test_of_two_copies_one_answers_what_has_no_request(db: Database) -> None:
    number = put(db, "GONE-0001", "click")
    store = Requests(db=db, lease_ms=25_000)
    waiting = store.event_without_row()
    assert waiting is not None
    answers = (Answer(event=number or 0, code="already_decided"),)
    left = Dismissed(entries=(entry(),), answers=answers)
    for _copy in range(2):
        store.dismiss("GONE-0001", waiting[1].number, left)
    with db.read() as conn:
        assert conn.execute(select(func.count()).select_from(audit)).scalar_one() == 1
        assert conn.execute(select(func.count()).select_from(messages)).scalar_one() == 1


def test_an_event_that_a_hand_has_broken_is_named_once_and_holds_up_nobody(db: Database) -> None:
    for place in range(2):
        born(db, place, State.PENDING)
        for request_id in (f"AAAA-{place:04d}", f"GONE-{place:04d}"):
            put(db, request_id, request_id)
    with db.write() as conn:
        conn.execute(update(inbox).where(inbox.c.number < 3).values(body='{"kind":"clicked"}'))
    store = Requests(db=db, lease_ms=25_000)
    with capture_logs() as logged:
        for _ in range(2):
            waiting = store.event_without_row()
            assert waiting is not None
            assert waiting[0] == "GONE-0001"
        claims = [store.claim(Queue.DECIDE), store.claim(Queue.DECIDE)]
        for claim in claims * 2:
            assert claim is not None
            whole = claim.request.id == "AAAA-0001"
            # It may be a Withdraw, so nothing is done with a request that cannot know.
            with nullcontext() if whole else pytest.raises(Unreadable):
                assert len(store.events(claim)[1]) == 1
    assert [(line["event"], line["row"]) for line in logged] == [
        ("row_unreadable", "event 2"),
        ("row_unreadable", "event 1"),
    ]


def test_a_record_put_behind_the_last_one_stops_what_would_be_recorded_and_is_named(
    db: Database,
) -> None:
    born(db, 1)
    with db.write() as conn:
        row = dict(conn.execute(select(audit)).mappings().one())
        conn.execute(insert(audit).values({**row, "number": 2}))
    store = Requests(db=db, lease_ms=25_000)
    claim = store.claim(Queue.CHECK)
    assert claim is not None
    recorded = Absorbed(request=claim.request, entries=(entry(),))
    with capture_logs() as logged:
        for act in (lambda: born(db, 2), lambda: store.save(claim, recorded)):
            with pytest.raises(StoreError) as caught:
                act()
            assert caught.value.fault is not None
    (line,) = logged
    assert "`vr-unpair audit verify`" in line["sentence"]
    with db.write() as conn:
        conn.execute(delete(audit).where(audit.c.number == 2))
    store.save(claim, recorded)


def test_copies_take_from_the_same_bucket_of_a_person(db: Database) -> None:
    stored: list[int | None] = []
    refused: list[int] = []

    def ask(number: int) -> None:
        try:
            stored.append(
                Inbox(db).put(asked(), origin=f"o{number}", request_id="X", counted_for="U1")
            )
        except TooOften as often:
            refused.append(often.seconds)

    together(*[partial(ask, number) for number in range(AT_ONCE + 10)])
    assert (len(stored), len(refused)) == (AT_ONCE, 10)
    assert all(0 < seconds <= EVERY_MS / 1000 for seconds in refused)
    with db.read() as conn:
        assert conn.execute(select(func.count()).select_from(inbox)).scalar_one() == AT_ONCE


def test_what_changes_while_a_message_is_sent_is_shown_afterwards(db: Database) -> None:
    made = born(db, 1, State.PENDING, snapshot=snapshot())
    store, box = Requests(db=db, lease_ms=25_000), Outbox(db, 25_000)
    due = box.claim()
    claim = store.claim(Queue.DECIDE)
    assert due is not None
    assert claim is not None
    approved = (Decision(by="U0FIRST", at=1),)
    store.save(claim, Absorbed(request=made.model_copy(update={"approvals": approved})))
    box.sent(due, ts="1.0", digest="first")
    again = box.claim()
    assert again is not None
    assert again.wanted > due.wanted
    box.sent(again, ts="1.0", digest="second")
    assert box.claim() is None


@pytest.mark.parametrize("state", State)
def test_while_a_delete_comes_next_slack_waits_for_a_moment(state: State) -> None:
    comes_next = state in (State.APPROVED, State.DELETING)
    assert messages_due_at(request(1, state), 5) == 5 + BEHIND_THE_DELETE_MS * comes_next
    tonight = request(1, state, scheduled_at=10**15)
    assert (messages_due_at(tonight, 5) > 5) is (state is State.DELETING)


def test_what_an_approval_changes_in_slack_waits_behind_the_delete() -> None:
    """And what comes of the DELETE goes at once, behind the answer to the click alone."""
    clock = Clock()
    db = Database("sqlite://", now=clock.ms)
    upgrade(db)
    made = born(db, 1, State.PENDING, snapshot=snapshot(), card_ts="1.0")
    store, box = Requests(db=db, lease_ms=25_000), Outbox(db, 25_000)
    card = box.claim()
    assert card is not None
    box.sent(card, ts="1.0", digest="as it was")
    number = put(db, made.id, "click")
    claim = store.claim(Queue.DECIDE)
    assert claim is not None
    yes = (Answer(event=number or 0, code="approved"),)
    changed = made.model_copy(update={"state": State.APPROVED, "approved_at": 1})
    store.save(claim, Absorbed(request=changed, answers=yes))
    assert box.claim() is None
    clock.turn(BEHIND_THE_DELETE_MS / 1000 - 0.001)
    assert box.claim() is None
    acting = store.claim(Queue.ACT)
    assert acting is not None
    # The thread in order, however soon it is over.
    over = changed.model_copy(update={"state": State.FAILED, "outcome": Outcome(code="refused")})
    store.save(acting, Absorbed(request=over))
    for moment, wanted in ((0.0, ["progress", "card"]), (0.001, ["answer", "final"])):
        clock.turn(moment)
        slots = []
        while (due := box.claim()) is not None:
            slots.append(due.slot.partition(":")[0])
            box.sent(due, ts="2.0", digest="as it is")
        assert slots == wanted
    db.close()


def test_a_message_that_is_sent_holds_back_all_of_its_request(db: Database) -> None:
    """But not for the hours of a lease that a clock which was ahead has stamped."""
    for place in ("one", "two"):
        number = put(db, "AAAA-0001", place, click())
        with db.write() as conn:
            answer = Answer(event=number or 0, code="already_decided", params={}, matters=True)
            add_answers(conn, "AAAA-0001", (answer,), db.now(conn))
    box = Outbox(db, 25_000)
    first = box.claim()
    assert first is not None
    for ahead_ms, free in ((0, False), (LONGEST_LEASE_MS - 60_000, False), (10**8, True)):
        if ahead_ms:
            with db.write() as conn:
                mine = update(messages).where(messages.c.slot == first.slot)
                conn.execute(mine.values(lease_until=db.now(conn) + ahead_ms))
        again = box.claim()
        assert (again is not None) is free
        assert again is None or again.slot == first.slot


def test_what_copies_share_is_changed_by_one_after_the_other(db: Database) -> None:
    """Such as the calls to an appliance: of two that read the same number, one would be lost."""

    def count() -> None:
        for _ in range(20):
            change_shared(db, "calls", lambda value, _now: str(int(value or 0) + 1))

    together(*[count] * 4)
    stored = read_shared(db, "calls")
    assert stored is not None
    assert stored[0] == "80"
