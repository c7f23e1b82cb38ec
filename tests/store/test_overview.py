"""What `status`, `list` and `preview` read of the requests."""

from __future__ import annotations

from bot.core.request import State
from bot.store.database import Database
from bot.store.overview import Overview
from tests.store.samples import born


def test_the_open_ones_oldest_first_and_the_latest_ends_first(db: Database) -> None:
    first = born(db, 1, State.PENDING)
    over = born(db, 2, State.DENIED, updated_at=90)
    second = born(db, 3, State.FOLLOWING)
    late = born(db, 4, State.SUCCEEDED, updated_at=80)
    unclear = born(db, 5, State.ATTENTION, updated_at=70)
    overview = Overview(db)
    assert overview.unfinished() == [first, second]
    assert overview.ended(2) == [over, late]
    assert overview.ended(5) == [over, late, unclear]
    assert overview.get(late.id) == late
    assert overview.get("ZZZZ-ZZZZ") is None


def test_the_latest_unclear_one_of_the_same_pairing(db: Database) -> None:
    born(db, 1, State.ATTENTION, pairing_id="p")
    latest = born(db, 2, State.ATTENTION, pairing_id="p")
    born(db, 3, State.FAILED, pairing_id="p")
    born(db, 4, State.ATTENTION, pairing_id="q")
    born(db, 5, State.ATTENTION, pairing_id="p", site="west")
    assert Overview(db).unclear("default", "p") == latest
    assert Overview(db).unclear("default", "r") is None


def test_an_empty_store(db: Database) -> None:
    overview = Overview(db)
    assert (overview.unfinished(), overview.ended(5)) == ([], [])
