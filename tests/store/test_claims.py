"""Requests: one holder, no click hidden, each row in its queue."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, update
from structlog.testing import capture_logs

from bot.request.event_changes import Absorbed
from bot.request.model import State
from bot.request.plan import ReadPairing, ReadPresence, ReadRights, SendDelete
from bot.store.database import Database
from bot.store.queries import Overview, figures
from bot.store.queues import LONGEST_LEASE_MS, POST, Queue, queue_of
from bot.store.requests import Requests
from bot.store.saving import Claim, ClaimLost
from bot.store.schema import requests
from bot.worker.drive import COMMIT_MS, LEASE_MS, lease_ms, time_for
from tests.store.samples import born, put, request, together
from tests.support.clock import Clock
from tests.support.world import snapshot

HOURS_MS = 3 * 3_600_000
ONE_OF_EACH = {
    Queue.CHECK: State.CHECKING,
    Queue.DECIDE: State.PENDING,
    Queue.ACT: State.APPROVED,
}


def claimed(store: Requests, queue: Queue = Queue.CHECK) -> Claim:
    claim = store.claim(queue)
    assert claim is not None
    return claim


def woken(db: Database) -> list[str]:
    """In which queues somebody would have been woken since this was last asked."""
    return [queue for queue in (*Queue, POST) if db.wakes.wait(queue, 0)]


# ---- one holder ----------------------------------------------------------------------------------


def test_each_row_has_one_holder_however_many_want_it(db: Database, store: Requests) -> None:
    for number in range(40):
        born(db, number)
    won: list[str] = []

    def work() -> None:
        while (claim := store.claim(Queue.CHECK)) is not None:
            won.append(claim.request.id)

    together(*[work] * 8)
    assert Counter(won) == Counter(f"AAAA-{n:04d}" for n in range(40))


def test_a_lost_claim_writes_nothing(db: Database, store: Requests) -> None:
    made = born(db, 1)
    old = claimed(store)
    store.release(old, due_at=0)
    new = claimed(store)
    with pytest.raises(ClaimLost):
        store.save(old, Absorbed(request=made.model_copy(update={"reason": "old"})))
    store.release(old, due_at=0)
    assert store.claim(Queue.CHECK) is None
    assert Overview(db).get(made.id) == made
    newer = made.model_copy(update={"reason": "new"})
    store.save(new, Absorbed(request=newer))
    assert Overview(db).get(made.id) == newer


def test_no_release_hides_a_click(db: Database, store: Requests) -> None:
    """201 of 300 clicks waited for the timer in a prototype."""
    for number in range(10):
        made = born(db, number)
        claim = claimed(store)
        put(db, made.id, f"click-{number}")
        store.release(claim, due_at=10**15)
        again = claimed(store)
        assert again.request.id == made.id
        store.save(again, Absorbed(request=request(number, State.DENIED), number=number + 1))
        store.release(again, due_at=None)
    assert [store.claim(queue) for queue in Queue] == [None, None, None]


def test_a_row_is_due_by_its_time_and_not_before(db: Database, store: Requests) -> None:
    """However far away: that is no lease of a clock that was ahead."""
    born(db, 1)
    claim = claimed(store)
    store.release(claim, due_at=db.clock() + HOURS_MS)
    assert store.claim(Queue.CHECK) is None
    again = born(db, 2)
    claim = claimed(store)
    assert claim.request.id == again.id
    store.release(claim, due_at=db.clock())
    assert claimed(store).request.id == again.id


def test_a_dead_holders_row_is_due_when_its_lease_is_over(db: Database) -> None:
    """It had absorbed the event that made the row due; the time set before is an hour away."""
    made = born(db, 1, State.PENDING)
    store = Requests(db=db, lease_ms=0)
    claim = claimed(store, Queue.DECIDE)
    store.release(claim, db.clock() + HOURS_MS)
    assert store.claim(Queue.DECIDE) is None
    number = put(db, made.id, "click")
    claim = claimed(store, Queue.DECIDE)
    store.save(claim, Absorbed(request=made, number=number or 0))
    assert store.claim(Queue.DECIDE) is not None


@pytest.mark.parametrize("queue", Queue)
def test_a_lease_that_a_clock_which_was_ahead_has_stamped_is_over(
    db: Database, store: Requests, queue: Queue
) -> None:
    """No row waits for hours for a dead holder."""
    born(db, 1, ONE_OF_EACH[queue])
    claim = claimed(store, queue)

    def holds_until(lease: int) -> None:
        with db.write() as conn:
            conn.execute(update(requests).values(lease_until=lease, due_at=lease))

    holds_until(db.clock() + HOURS_MS)
    assert claimed(store, queue).version == claim.version + 1
    holds_until(db.clock() + LONGEST_LEASE_MS - 60_000)
    assert store.claim(queue) is None
    assert lease_ms([300]) == LONGEST_LEASE_MS  # of the longest VR_TIMEOUT_SECONDS


@pytest.mark.parametrize("queue", Queue)
def test_a_row_that_a_hand_has_broken_is_named_once_and_holds_up_nobody(
    db: Database, store: Requests, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(store.db, "now", lambda _conn: clock.ms())
    for number in (1, 2):
        born(db, number, ONE_OF_EACH[queue])
    broken = update(requests).where(requests.c.id == "AAAA-0001")
    with db.write() as conn:
        conn.execute(broken.values(body='{"new":1,' + func.substr(requests.c.body, 2)))
    with capture_logs() as logged:
        held = claimed(store, queue)
        assert held.request.id == "AAAA-0002"
        assert store.claim(queue) is None
        clock.turn(store.lease_ms / 1000)
        assert claimed(store, queue).request.id == "AAAA-0002"
        # Nor does anybody else stumble over it who reads many.
        overview = Overview(db)
        lists = (overview.newest(), [overview.unclear(snapshot())], figures(db, []))
        assert [r.id for r in lists[0]] == ["AAAA-0002"]
    (line,) = logged
    assert (line["event"], line["row"]) == ("row_unreadable", "request AAAA-0001")
    assert line["wrong"] == ["new: extra_forbidden"]
    with db.write() as conn:
        conn.execute(broken.values(body="{" + func.substr(requests.c.body, 10)))
    clock.turn(store.lease_ms / 1000)
    assert {claimed(store, queue).request.id for _ in range(2)} == {"AAAA-0001", "AAAA-0002"}


EFFECTS = (
    ReadPresence(listed=True),
    ReadPairing(purpose="act"),
    ReadRights(people=("U0FIRST",)),
    SendDelete(),
)


@given(st.sampled_from(EFFECTS), st.floats(-LEASE_MS, 2 * LEASE_MS), st.sampled_from((1, 30)))
def test_no_effect_outlasts_its_lease(effect: object, left_ms: float, longer: int) -> None:
    """With what the commit needs on top."""
    time_ms = time_for(effect, request(1), left_ms, longer * LEASE_MS)  # type: ignore[arg-type]
    assert time_ms is None or 0 < time_ms <= left_ms - COMMIT_MS


# ---- queues --------------------------------------------------------------------------------------


def test_each_state_is_the_work_of_one_queue(db: Database, store: Requests) -> None:
    """By the row, in SQL, and by what is in hand. Acting goes first there, and a look that somebody
    waits for goes before what is followed, which comes back for ever."""
    for number, state in enumerate(State):
        born(db, number, state)
    found: dict[Queue, list[State]] = {queue: [] for queue in Queue}
    for queue in Queue:
        while (claim := store.claim(queue)) is not None:
            assert queue_of(claim.request) is queue
            found[queue].append(claim.request.state)
    acting = [State.APPROVED, State.DELETING, State.ATTENTION, State.FOLLOWING]
    assert found[Queue.CHECK] == [State.CHECKING]
    assert found[Queue.ACT] == acting
    assert set(found[Queue.DECIDE]) == set(State) - {*acting, State.CHECKING}


@pytest.mark.parametrize("queue", Queue)
def test_what_is_left_to_others_is_neither_claimed_nor_waited_for(
    db: Database, store: Requests, queue: Queue
) -> None:
    """And nobody but who serves its site is woken for it."""
    made = born(db, 1, ONE_OF_EACH[queue], site="berlin")
    assert not db.wakes.wait(Queue.CHECK, 0, ("berlin",))
    assert db.wakes.wait(Queue.CHECK, 0, ("oslo",))
    put(db, made.id, "click")
    assert store.claim(queue, left=("berlin", "oslo")) is None
    assert not db.wakes.wait(queue, 0, ("berlin", "oslo"))
    assert db.wakes.wait(queue, 0, ("oslo", "prague"))
    claim = store.claim(queue, left=("oslo", "prague"))
    assert claim is not None
    assert claim.request.site == "berlin"


@pytest.mark.parametrize("state", [State.CHECKING, State.APPROVED, State.FOLLOWING, State.PENDING])
def test_of_one_state_what_somebody_has_pressed_goes_first(
    db: Database, store: Requests, state: State
) -> None:
    """Though its own time is later than that of all that is tried again and again; but a click on
    what is followed goes before no acting."""
    pressed = born(db, 1, state)
    store.release(claimed(store, queue_of(pressed)), due_at=10**15)
    born(db, 2, state)
    put(db, pressed.id, "click")
    if state is State.FOLLOWING:
        acting = born(db, 3, State.APPROVED)
        assert claimed(store, Queue.ACT).request.id == acting.id
    assert claimed(store, queue_of(pressed)).request.id == pressed.id


def test_what_moves_into_another_queue_is_given_back_in_the_same_commit(
    db: Database, store: Requests
) -> None:
    born(db, 1, State.PENDING)
    claim = claimed(store, Queue.DECIDE)
    kept = store.save(claim, Absorbed(request=claim.request))
    assert (kept.over, kept.lease_until) == (False, claim.lease_until)
    woken(db)
    approved = claim.request.model_copy(update={"state": State.APPROVED})
    after = store.save(kept, Absorbed(request=approved))
    assert after.over
    # An event may wait there already: a click on what is approved a moment later.
    assert not db.wakes.wait(Queue.ACT, 0, (approved.site,))
    assert woken(db) == [Queue.ACT]
    assert store.claim(Queue.DECIDE) is None
    taken = claimed(store, Queue.ACT)
    assert taken.request == approved
    with pytest.raises(ClaimLost):
        store.save(after, Absorbed(request=approved))
    back = approved.model_copy(update={"state": State.PENDING, "decide_by": 10**15})
    store.save(taken, Absorbed(request=back))
    assert store.claim(Queue.DECIDE) is None


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
