"""What `status`, `list` and `preview` read of the requests."""

from __future__ import annotations

from bot.request.model import State
from bot.store.database import Database
from bot.store.queries import Overview
from tests.store.samples import born
from tests.store.test_other_ends import reading


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
    def of(pairing_id: str, remote: str = "oslo") -> dict[str, object]:
        return {"pairing_id": pairing_id, "snapshot": reading(pairing_id, "lyon", remote)}

    born(db, 1, State.ATTENTION, **of("p"))
    latest = born(db, 2, State.ATTENTION, **of("p"), site="as it was called before")
    born(db, 3, State.FAILED, **of("p"))
    born(db, 4, State.ATTENTION, **of("q", "rome"))
    overview = Overview(db)
    assert overview.unclear(reading("p", "lyon", "oslo")) == latest
    assert overview.unclear(reading("P", "LYON", "OSLO")) == latest
    assert overview.unclear(reading("of the other end", "oslo", "lyon")) == latest
    assert overview.unclear(reading("r", "lyon", "paris")) is None


def test_an_empty_store(db: Database) -> None:
    overview = Overview(db)
    assert (overview.unfinished(), overview.ended(5)) == ([], [])
