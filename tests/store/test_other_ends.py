"""Two ends of one pairing, taken at the same moment: one wins, on both databases."""

from __future__ import annotations

import threading

from bot.request.model import Request
from bot.request.pairing import Server, Snapshot
from bot.store.database import Database
from bot.store.one_open_request import PairingTakenBy
from bot.store.queues import Queue
from bot.store.requests import Requests
from bot.store.saving import Claim, Saving
from tests.store.samples import born, entry

ROUNDS = 10


def reading(pairing_id: str, local: str, remote: str) -> Snapshot:
    return Snapshot(
        pairing_id=pairing_id,
        local_vc=Server(id=local),
        remote_vc=Server(id=remote),
        local_vrms=Server(),
        remote_vrms=Server(),
        count=0,
        complete=True,
        replications_digest="",
        read_at=1,
    )


def claimed(db: Database, number: int, site: str) -> Claim:
    made = born(db, number, site=site)
    claim = Requests(db=db, lease_ms=60_000).claim(Queue.CHECK)
    assert claim is not None
    assert claim.request.id == made.id
    return claim


def checked(claim: Claim, snapshot: Snapshot, *, several: bool = True) -> Request:
    terms = claim.request.terms.model_copy(update={"several": several})
    changes = {"pairing_id": snapshot.pairing_id, "snapshot": snapshot, "terms": terms}
    return claim.request.model_copy(update=changes)


def test_of_two_at_the_same_moment_one_is_refused(db: Database) -> None:
    for turn in range(ROUNDS):
        one, other = f"vc-{turn}-a", f"vc-{turn}-b"
        ends = [
            (claimed(db, 2 * turn, "berlin"), reading(f"p-{turn}", one, other)),
            (claimed(db, 2 * turn + 1, "prague"), reading(f"q-{turn}", other, one)),
        ]
        together = threading.Barrier(len(ends))
        refused: list[PairingTakenBy] = []
        saved: list[str] = []

        def take(
            claim: Claim,
            snapshot: Snapshot,
            together: threading.Barrier = together,
            refused: list[PairingTakenBy] = refused,
            saved: list[str] = saved,
        ) -> None:
            request = checked(claim, snapshot)
            together.wait()
            try:
                Requests(db=db, lease_ms=60_000).save(
                    claim, Saving(request=request, entries=(entry("checked"),))
                )
            except PairingTakenBy as error:
                refused.append(error)
            else:
                saved.append(request.id)

        threads = [threading.Thread(target=take, args=end) for end in ends]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (taken,) = refused
        assert [taken.other] == saved
        assert taken.site in ("berlin", "prague")


def test_two_ids_of_the_only_appliance_are_two_pairings(db: Database) -> None:
    """An appliance has one end of each, so the same vCenters in both say nothing."""
    store = Requests(db=db, lease_ms=60_000)
    for number in range(2):
        claim = claimed(db, number, "berlin")
        request = checked(claim, reading(f"p-{number}", "vc-a", "vc-b"), several=False)
        store.save(claim, Saving(request=request, entries=(entry("checked"),)))
