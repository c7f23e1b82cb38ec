"""What `status`, `list`, `preview` and `/metrics` read is right on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from bot.request.event_changes import Absorbed
from bot.request.model import Intent, Notice, State
from bot.store import queries
from bot.store.database import Database, change_shared
from bot.store.faults import StoreError
from bot.store.inbox import Inbox
from bot.store.migrate import upgrade
from bot.store.queries import Overview
from bot.store.requests import Requests
from tests.store.samples import born, click, entry, request
from tests.store.test_one_open_request import reading
from tests.support.world import snapshot


def test_everything_at_once(db: Database) -> None:
    requests = Requests(db=db, lease_ms=60_000)
    now = db.clock()
    born(db, 1, State.SUCCEEDED)
    born(db, 2, State.SUCCEEDED)
    born(db, 3, State.PENDING, pending_since=now - 50_000)
    born(db, 4, State.PENDING, pending_since=now - 9_000)
    intent = Intent(at=now - 30_000, task_ids=())
    born(db, 5, State.FOLLOWING, intent=intent, pairing_id="p-5")
    noticed = {"card_ts": "1.0", "notices": (Notice(code="rights_lost", at=1),)}
    new = request(6, created_at=now - 1_000, snapshot=snapshot(), **noticed)
    assert requests.insert_row(Absorbed(request=new, entries=(entry("glass_broken"),)))
    change_shared(db, "budget:west", lambda _old, _now: "west")
    change_shared(db, "budget:east", lambda _old, _now: "east")
    found = queries.figures(db, ["budget:west", "budget:north"])
    assert found.by_state == {"succeeded": 2, "pending": 2, "following": 1, "checking": 1}
    late = found.at - now
    assert found.oldest_ms == {
        "pending": 50_000 + late,
        "following": 30_000 + late,
        "checking": 1_000 + late,
    }
    assert found.waiting == {"card": 1, "notice": 1}
    assert set(found.unposted_ms) == {"card", "notice"}
    assert all(0 <= age <= late for age in found.unposted_ms.values())
    assert found.shared == {"budget:west": "west"}
    assert found.glass_broken == 1


# ---- requests ---------------------------------------------------------------------------------


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


# ---- errors ----------------------------------------------------------------------------------


def test_errors_are_told_by_class_and_a_repeated_event_is_none(tmp_path: Path) -> None:
    told: list[str] = []
    db = Database(f"sqlite:///{tmp_path}/new.db", on_error=told.append)
    upgrade(db)
    numbers = [Inbox(db).put(click(), origin="once", request_id="AAAA-0001") for _ in range(2)]
    assert numbers == [1, None]
    assert told == []
    with pytest.raises(StoreError), db.read() as conn:
        conn.execute(text("SELECT * FROM no_such_table"))
    assert told == ["OperationalError"]
    db.close()
