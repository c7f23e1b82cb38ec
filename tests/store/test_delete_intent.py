"""The guards of the intent to send the DELETE, and of what time alone does."""

from __future__ import annotations

import pytest

from bot.request.event_changes import Absorbed
from bot.request.events import OperatorCancelled
from bot.request.model import State
from bot.store.queues import Queue
from bot.store.requests import Requests
from bot.store.saving import Claim, ClaimLost, SaveRefused
from tests.store.samples import born, put

FAR = 10**15


def claimed(store: Requests, state: State = State.APPROVED, **changes: object) -> Claim:
    born(store.db, 1, state, **{"execute_by": FAR, **changes})
    claim = store.claim(Queue.DECIDE if state is State.PENDING else Queue.ACT)
    assert claim is not None
    return claim


def intend(store: Requests, claim: Claim) -> Claim:
    changed = claim.request.model_copy(update={"state": State.DELETING})
    return store.save_intent(claim, Absorbed(request=changed))


def expire(store: Requests, claim: Claim) -> Claim:
    changed = claim.request.model_copy(update={"state": State.EXPIRED})
    return store.save_passed(claim, Absorbed(request=changed))


def test_it_is_stored_once(store: Requests) -> None:
    claim = claimed(store)
    intend(store, claim)
    with pytest.raises(ClaimLost):
        intend(store, claim)


def test_not_after_its_time(store: Requests) -> None:
    claim = claimed(store, execute_by=1)
    with pytest.raises(SaveRefused):
        intend(store, claim)


def test_not_before_the_time_that_was_asked_for(store: Requests) -> None:
    """However early the clock of whoever plans it is."""
    claim = claimed(store, scheduled_at=store.db.clock() + 60_000)
    with pytest.raises(SaveRefused):
        intend(store, claim)
    over = claim.request.model_copy(update={"scheduled_at": store.db.clock()})
    intend(store, store.save(claim, Absorbed(request=over)))


def test_not_from_another_state(store: Requests) -> None:
    claim = claimed(store, State.PENDING)
    with pytest.raises(SaveRefused):
        intend(store, claim)


def test_not_while_what_may_stop_it_waits(store: Requests) -> None:
    """Behind a press that changes nothing, too."""
    claim = claimed(store)
    put(store.db, claim.request.id, "click")
    put(store.db, claim.request.id, "cancel", OperatorCancelled(operator="root"))
    with pytest.raises(SaveRefused):
        intend(store, claim)


def test_presses_that_change_nothing_do_not_hold_it_up(store: Requests) -> None:
    claim = claimed(store)
    put(store.db, claim.request.id, "click")
    assert intend(store, claim).request.state is State.DELETING


def test_what_time_does_is_stored_once_and_not_while_a_click_waits(store: Requests) -> None:
    claim = claimed(store, State.PENDING)
    put(store.db, claim.request.id, "click")
    with pytest.raises(SaveRefused):
        expire(store, claim)
    heard = store.save(claim, Absorbed(request=claim.request, number=1))
    expire(store, heard)
    with pytest.raises(ClaimLost):
        expire(store, heard)
