"""A pairing has one open request, by either of its ends, on both databases."""

from __future__ import annotations

from functools import partial

import pytest

from bot.request.event_changes import Absorbed
from bot.request.model import Request, State
from bot.request.pairing import Server, Snapshot
from bot.store.database import Database
from bot.store.one_open_request import PairingTakenBy
from bot.store.queues import Queue
from bot.store.requests import Requests
from bot.store.saving import Claim
from tests.rules.samples import snapshot
from tests.store.samples import born, entry, together

ROUNDS = 10


def reading(pairing_id: str, local: str, remote: str) -> Snapshot:
    ids = {"id": pairing_id, "local_vc": Server(id=local), "remote_vc": Server(id=remote)}
    return snapshot().model_copy(update=ids)


def claimed(db: Database, number: int, site: str) -> Claim:
    made = born(db, number, site=site)
    claim = Requests(db=db, lease_ms=60_000).claim(Queue.CHECK)
    assert claim is not None
    assert claim.request.id == made.id
    return claim


def save(db: Database, request: Request, claim: Claim) -> None:
    step = Absorbed(request=request, entries=(entry("checked"),))
    Requests(db=db, lease_ms=60_000).save(claim, step)


def checked(claim: Claim, snapshot: Snapshot, *, several: bool = True) -> Request:
    terms = claim.request.terms.model_copy(update={"several": several})
    changes = {"pairing_id": snapshot.id, "snapshot": snapshot, "terms": terms}
    return claim.request.model_copy(update=changes)


@pytest.mark.parametrize("in_this_answer", ["p", "P"])
def test_a_second_request_is_refused_while_the_first_is_open(
    db: Database, in_this_answer: str
) -> None:
    born(db, 1, State.PENDING, pairing_id="p")
    claim = claimed(db, 2, "default")
    taken = claim.request.model_copy(update={"pairing_id": in_this_answer})
    with pytest.raises(PairingTakenBy) as refused:
        save(db, taken, claim)
    assert (refused.value.other, refused.value.site) == ("AAAA-0001", None)
    born(db, 3, State.ATTENTION, pairing_id="q")
    born(db, 4, State.PENDING, pairing_id="q")


def test_of_two_at_the_same_moment_one_is_refused(db: Database) -> None:
    refused: list[PairingTakenBy] = []
    saved: list[str] = []

    def take(claim: Claim, snapshot: Snapshot) -> None:
        try:
            save(db, checked(claim, snapshot), claim)
        except PairingTakenBy as error:
            refused.append(error)
        else:
            saved.append(claim.request.id)

    for turn in range(ROUNDS):
        one, other = f"vc-{turn}-a", f"vc-{turn}-b"
        berlin, prague = claimed(db, 2 * turn, "berlin"), claimed(db, 2 * turn + 1, "prague")
        together(
            partial(take, berlin, reading(f"p-{turn}", one, other)),
            partial(take, prague, reading(f"q-{turn}", other, one)),
        )
    assert [each.other for each in refused] == saved
    assert len(saved) == ROUNDS
    assert {each.site for each in refused} <= {"berlin", "prague"}


def test_two_ids_of_the_only_appliance_are_two_pairings(db: Database) -> None:
    """An appliance has one end of each, so the same vCenters in both say nothing."""
    for number in range(2):
        claim = claimed(db, number, "berlin")
        save(db, checked(claim, reading(f"p-{number}", "vc-a", "vc-b"), several=False), claim)
