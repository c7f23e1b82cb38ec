"""Claims: one holder, no click hidden, the guards of the intent."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from bot.core.request import State
from bot.store.claims import Claim, ClaimLost, Claims, PairingTakenBy, SaveRefused, Saving
from bot.store.database import Database
from tests.store.samples import asked, born, put, request

LEASE_MS = 60_000


def requests_of(db: Database) -> Claims:
    return Claims(db=db, lease_ms=LEASE_MS)


def claimed(db: Database, *, checking: bool = True) -> Claim:
    claim = requests_of(db).claim(checking=checking)
    assert claim is not None
    return claim


def test_each_row_has_one_holder_however_many_want_it(db: Database) -> None:
    for number in range(40):
        born(db, number)
    won: list[str] = []

    def work() -> None:
        while (claim := requests_of(db).claim(checking=True)) is not None:
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
    requests_of(db).release(old, due_at=None)
    assert requests_of(db).get(made.id) == made
    requests_of(db).save(new, Saving(request=made.model_copy(update={"reason": "new"})))
    saved = requests_of(db).get(made.id)
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
            again, Saving(request=request(number, State.DENIED), absorbed=(number + 1,))
        )
        requests_of(db).release(again, due_at=None)
    assert requests_of(db).claim(checking=True) is None
    assert requests_of(db).claim(checking=False) is None


def test_a_row_is_due_by_its_time_and_not_before(db: Database) -> None:
    made = born(db, 1)
    claim = claimed(db)
    now = requests_of(db).now()
    requests_of(db).release(claim, due_at=now + 3_600_000)
    assert requests_of(db).claim(checking=True) is None
    assert requests_of(db).next_due(checking=True) == now + 3_600_000
    assert requests_of(db).get(made.id) is not None


def test_acting_goes_before_everything_else(db: Database) -> None:
    states = [State.PENDING, State.FOLLOWING, State.APPROVED, State.DELETING]
    for number, state in enumerate(states):
        born(db, number, state)
    order = [claimed(db, checking=False).request.state for _ in states]
    assert order == [State.APPROVED, State.DELETING, State.FOLLOWING, State.PENDING]


class TestIntent:
    def approved(self, db: Database, execute_by: int) -> Claim:
        born(db, 1, State.APPROVED, execute_by=execute_by)
        return claimed(db, checking=False)

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

    def test_not_while_an_event_waits(self, db: Database) -> None:
        claim = self.approved(db, 10**15)
        put(db, claim.request.id, "cancel")
        with pytest.raises(SaveRefused):
            self.intend(db, claim)

    def test_not_from_another_state(self, db: Database) -> None:
        born(db, 1, State.PENDING, execute_by=10**15)
        with pytest.raises(SaveRefused):
            self.intend(db, claimed(db, checking=False))


class TestTimePassed:
    """What time alone does waits for whatever is left to be heard."""

    def expire(self, db: Database, claim: Claim) -> Claim:
        changed = claim.request.model_copy(update={"state": State.EXPIRED})
        return requests_of(db).save_passed(claim, Saving(request=changed))

    def test_stored_once(self, db: Database) -> None:
        born(db, 1, State.PENDING)
        claim = claimed(db, checking=False)
        self.expire(db, claim)
        with pytest.raises(ClaimLost):
            self.expire(db, claim)

    def test_not_while_a_click_waits(self, db: Database) -> None:
        made = born(db, 1, State.PENDING)
        claim = claimed(db, checking=False)
        put(db, made.id, "click")
        with pytest.raises(SaveRefused):
            self.expire(db, claim)
        assert requests_of(db).get(made.id) == made
        heard = requests_of(db).save(claim, Saving(request=made, absorbed=(1,)))
        self.expire(db, heard)


def test_one_open_request_for_a_pairing(db: Database) -> None:
    born(db, 1, State.PENDING, pairing_id="p")
    second = born(db, 2)
    claim = claimed(db)
    taken = second.model_copy(update={"pairing_id": "p"})
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
