"""Requests: one holder, no click hidden, the guards of the intent."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select, update

from bot.request.model import Request, State
from bot.store.database import Database
from bot.store.one_open_request import PairingTakenBy
from bot.store.queries import Overview
from bot.store.queues import POST, Queue, queue_of
from bot.store.requests import Requests
from bot.store.saving import Claim, ClaimLost, SaveRefused, Saving
from bot.store.schema import requests
from tests.store.samples import asked, born, put, request

LEASE_MS = 60_000
ONE_OF_EACH = {
    Queue.CHECK: State.CHECKING,
    Queue.DECIDE: State.PENDING,
    Queue.ACT: State.APPROVED,
}


def requests_of(db: Database) -> Requests:
    return Requests(db=db, lease_ms=LEASE_MS)


def claimed(db: Database, queue: Queue = Queue.CHECK) -> Claim:
    claim = requests_of(db).claim(queue)
    assert claim is not None
    return claim


def due_at(db: Database, request_id: str) -> int | None:
    with db.read() as conn:
        due: int | None = conn.scalar(select(requests.c.due_at).where(requests.c.id == request_id))
        return due


def woken(db: Database) -> list[str]:
    """In which queues somebody would have been woken since this was last asked."""
    return [queue for queue in (*Queue, POST) if db.wakes.wait(queue, 0)]


def test_each_row_has_one_holder_however_many_want_it(db: Database) -> None:
    for number in range(40):
        born(db, number)
    won: list[str] = []

    def work() -> None:
        while (claim := requests_of(db).claim(Queue.CHECK)) is not None:
            won.append(claim.request.id)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(won) == Counter(f"AAAA-{n:04d}" for n in range(40))


def test_a_lost_claim_writes_nothing(db: Database) -> None:
    made = born(db, 1)
    old = claimed(db)
    requests_of(db).release(old, due_at=0)
    new = claimed(db)
    with pytest.raises(ClaimLost):
        requests_of(db).save(old, Saving(request=made.model_copy(update={"reason": "old"})))
    requests_of(db).release(old, due_at=0)
    assert requests_of(db).claim(Queue.CHECK) is None
    assert Overview(db).get(made.id) == made
    requests_of(db).save(new, Saving(request=made.model_copy(update={"reason": "new"})))
    saved = Overview(db).get(made.id)
    assert saved is not None
    assert saved.reason == "new"


def test_no_release_hides_a_click(db: Database) -> None:
    """201 of 300 clicks waited for the timer in a prototype."""
    for number in range(60):
        made = born(db, number)
        claim = claimed(db)
        put(db, made.id, f"click-{number}")
        requests_of(db).release(claim, due_at=10**15)
        again = claimed(db)
        assert again.request.id == made.id
        requests_of(db).save(
            again, Saving(request=request(number, State.DENIED), absorbed=number + 1)
        )
        requests_of(db).release(again, due_at=None)
    assert [requests_of(db).claim(queue) for queue in Queue] == [None, None, None]


def test_a_row_is_due_by_its_time_and_not_before(db: Database) -> None:
    made = born(db, 1)
    claim = claimed(db)
    now = db.clock()
    requests_of(db).release(claim, due_at=now + 3_600_000)
    assert requests_of(db).claim(Queue.CHECK) is None
    assert due_at(db, made.id) == now + 3_600_000
    assert Overview(db).get(made.id) is not None


def test_acting_goes_before_everything_else(db: Database) -> None:
    """And a look that somebody waits for before what is followed, which comes back for ever."""
    states = [State.FOLLOWING, State.ATTENTION, State.APPROVED, State.DELETING]
    for number, state in enumerate(states):
        born(db, number, state)
    order = [claimed(db, Queue.ACT).request.state for _ in states]
    assert order == [State.APPROVED, State.DELETING, State.ATTENTION, State.FOLLOWING]


@pytest.mark.parametrize("state", [State.CHECKING, State.APPROVED, State.FOLLOWING, State.PENDING])
def test_of_one_state_what_somebody_has_pressed_goes_first(db: Database, state: State) -> None:
    """Though its own time is later than that of all that is tried again and again."""
    pressed = born(db, 1, state)
    claim = claimed(db, queue_of(pressed))
    requests_of(db).release(claim, due_at=10**15)
    born(db, 2, state)
    put(db, pressed.id, "click")
    assert claimed(db, queue_of(pressed)).request.id == pressed.id


def test_a_click_on_what_is_followed_does_not_go_before_acting(db: Database) -> None:
    followed = born(db, 1, State.FOLLOWING)
    put(db, followed.id, "click")
    born(db, 2, State.APPROVED)
    assert claimed(db, Queue.ACT).request.state is State.APPROVED


def test_each_state_is_the_work_of_one_lane(db: Database) -> None:
    """By the row, in SQL, and by what is in hand."""
    for number, state in enumerate(State):
        born(db, number, state)
    found: dict[Queue, set[State]] = {queue: set() for queue in Queue}
    for queue in Queue:
        while (claim := requests_of(db).claim(queue)) is not None:
            assert queue_of(claim.request) is queue
            found[queue].add(claim.request.state)
    acting = {State.APPROVED, State.DELETING, State.FOLLOWING, State.ATTENTION}
    assert found[Queue.CHECK] == {State.CHECKING}
    assert found[Queue.ACT] == acting
    assert found[Queue.DECIDE] == set(State) - acting - {State.CHECKING}


class TestIntoAnotherQueue:
    """What takes a row there gives it back too, in the same commit."""

    def approve(self, db: Database) -> tuple[Claim, Request]:
        born(db, 1, State.PENDING)
        claim = claimed(db, Queue.DECIDE)
        approved = claim.request.model_copy(update={"state": State.APPROVED})
        after = requests_of(db).save(claim, Saving(request=approved, due_at=0))
        assert after.over
        return after, approved

    def test_it_is_claimed_there_at_once(self, db: Database) -> None:
        after, approved = self.approve(db)
        assert requests_of(db).claim(Queue.DECIDE) is None
        taken = claimed(db, Queue.ACT)
        assert taken.request == approved
        with pytest.raises(ClaimLost):
            requests_of(db).save(after, Saving(request=approved))

    def test_it_is_due_when_the_step_says(self, db: Database) -> None:
        made = born(db, 1)
        claim = claimed(db)
        pending = claim.request.model_copy(update={"state": State.PENDING})
        requests_of(db).save(claim, Saving(request=pending, due_at=10**15))
        assert requests_of(db).claim(Queue.DECIDE) is None
        assert due_at(db, made.id) == 10**15

    def test_those_of_the_other_lane_are_told(self, db: Database) -> None:
        """An event may wait there already: a click on what is approved a moment later."""
        woken(db)
        self.approve(db)
        assert woken(db) == [Queue.ACT]

    def test_within_a_lane_it_is_kept(self, db: Database) -> None:
        born(db, 1, State.PENDING)
        claim = claimed(db, Queue.DECIDE)
        kept = requests_of(db).save(claim, Saving(request=claim.request, due_at=0))
        assert not kept.over
        assert kept.lease_until == claim.lease_until
        assert requests_of(db).claim(Queue.DECIDE) is None


@pytest.mark.parametrize(
    ("state", "queue"),
    [
        (State.CHECKING, Queue.CHECK),
        (State.PENDING, Queue.DECIDE),
        (State.FOLLOWING, Queue.ACT),
        (State.DENIED, Queue.DECIDE),
        (None, Queue.CHECK),
    ],
)
def test_a_click_wakes_those_whose_work_it_is(
    db: Database, state: State | None, queue: Queue
) -> None:
    if state:
        born(db, 1, state)
    woken(db)
    put(db, "AAAA-0001", "click")
    assert woken(db) == [queue]


class TestIntent:
    def approved(self, db: Database, execute_by: int) -> Claim:
        born(db, 1, State.APPROVED, execute_by=execute_by)
        return claimed(db, Queue.ACT)

    def intend(self, db: Database, claim: Claim) -> Claim:
        changed = claim.request.model_copy(update={"state": State.DELETING})
        return requests_of(db).save_intent(claim, Saving(request=changed))

    def test_stored_once(self, db: Database) -> None:
        claim = self.approved(db, 10**15)
        self.intend(db, claim)
        with pytest.raises(ClaimLost):
            self.intend(db, claim)

    def test_not_after_its_time(self, db: Database) -> None:
        with pytest.raises(SaveRefused):
            self.intend(db, self.approved(db, 1))

    def test_not_before_the_time_that_was_asked_for(self, db: Database) -> None:
        """However early the clock of whoever plans it is."""
        at = db.clock() + 60_000
        born(db, 1, State.APPROVED, execute_by=10**15, scheduled_at=at)
        claim = claimed(db, Queue.ACT)
        with pytest.raises(SaveRefused):
            self.intend(db, claim)
        over = claim.request.model_copy(update={"scheduled_at": db.clock()})
        self.intend(db, requests_of(db).save(claim, Saving(request=over)))

    def test_not_while_an_event_waits(self, db: Database) -> None:
        claim = self.approved(db, 10**15)
        put(db, claim.request.id, "cancel")
        with pytest.raises(SaveRefused):
            self.intend(db, claim)

    def test_not_from_another_state(self, db: Database) -> None:
        born(db, 1, State.PENDING, execute_by=10**15)
        with pytest.raises(SaveRefused):
            self.intend(db, claimed(db, Queue.DECIDE))


class TestTimePassed:
    """What time alone does waits for whatever is left to be heard."""

    def expire(self, db: Database, claim: Claim) -> Claim:
        changed = claim.request.model_copy(update={"state": State.EXPIRED})
        return requests_of(db).save_passed(claim, Saving(request=changed))

    def test_stored_once(self, db: Database) -> None:
        born(db, 1, State.PENDING)
        claim = claimed(db, Queue.DECIDE)
        self.expire(db, claim)
        with pytest.raises(ClaimLost):
            self.expire(db, claim)

    def test_not_while_a_click_waits(self, db: Database) -> None:
        made = born(db, 1, State.PENDING)
        claim = claimed(db, Queue.DECIDE)
        put(db, made.id, "click")
        with pytest.raises(SaveRefused):
            self.expire(db, claim)
        assert Overview(db).get(made.id) == made
        heard = requests_of(db).save(claim, Saving(request=made, absorbed=1))
        self.expire(db, heard)


@pytest.mark.parametrize("in_this_answer", ["p", "P"])
def test_one_open_request_for_a_pairing(db: Database, in_this_answer: str) -> None:
    born(db, 1, State.PENDING, pairing_id="p")
    second = born(db, 2)
    claim = claimed(db)
    taken = second.model_copy(update={"pairing_id": in_this_answer})
    with pytest.raises(PairingTakenBy) as refused:
        requests_of(db).save(claim, Saving(request=taken))
    assert refused.value.args[0] == "AAAA-0001"
    born(db, 3, State.ATTENTION, pairing_id="q")
    born(db, 4, State.PENDING, pairing_id="q")


def test_the_same_origin_is_stored_once(db: Database) -> None:
    numbers: list[int | None] = []

    def work() -> None:
        numbers.append(put(db, "AAAA-0001", "trigger", asked()))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(n is None for n in numbers) == [False] + [True] * 7


@pytest.mark.parametrize("queue", [Queue.CHECK, Queue.DECIDE, Queue.ACT])
def test_a_row_that_a_hand_has_broken_keeps_its_lease_and_holds_up_nobody(
    db: Database, queue: Queue
) -> None:
    state = {Queue.CHECK: State.CHECKING, Queue.DECIDE: State.PENDING, Queue.ACT: State.APPROVED}[
        queue
    ]
    for number in (1, 2):
        born(db, number, state)
    with db.write() as conn:
        broken = update(requests).where(requests.c.id == "AAAA-0001")
        conn.execute(broken.values(body='{"new":1,' + func.substr(requests.c.body, 2)))
    store = Requests(db=db, lease_ms=60_000)
    with pytest.raises(ValidationError):
        store.claim(queue)
    claim = store.claim(queue)
    assert claim is not None
    assert claim.request.id == "AAAA-0002"
    assert store.claim(queue) is None
