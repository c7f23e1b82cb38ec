"""Plain rows and events for tests of the store."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from bot.audit_key import AuditKey, new_key
from bot.request.audit_chain import Entry
from bot.request.event_changes import Absorbed
from bot.request.events import Clicked, Event
from bot.request.model import Outcome, Request, State, Witness
from bot.store import audit_trail as audit
from bot.store.database import Database
from bot.store.faults import StoreError
from bot.store.inbox import Inbox
from bot.store.requests import Requests
from tests.rules.samples import clicked, pending


def request(number: int, state: State = State.CHECKING, **changes: object) -> Request:
    plain = Request(
        id=f"AAAA-{number:04d}",
        state=state,
        site="default",
        asked="prague",
        force=False,
        reason="",
        requester="U0ASKER",
        channel="C0OPS",
        terms=pending().terms,
        asked_by_event=1,
        created_at=number,
        updated_at=number,
    )
    return plain.model_copy(update=changes)


def entry(action: str = "asked") -> Entry:
    return Entry(
        action=action,
        actor="U0ASKER",
        at=5,
        message="C0OPS/1.0",
        before=None,
        after=State.CHECKING,
        detail={"words": "größer"},
    )


def a_key() -> AuditKey:
    """As `vr-unpair audit new-key` makes one."""
    with tempfile.TemporaryDirectory() as folder:
        return new_key(Path(folder) / "audit.pem")


def born(db: Database, number: int, state: State = State.CHECKING, **changes: object) -> Request:
    made = request(number, state, **changes)
    assert Requests(db=db, lease_ms=60_000).insert_row(Absorbed(request=made, entries=(entry(),)))
    return made


def together(*works: Callable[[], object]) -> None:
    """Each in a thread of its own, all at once."""
    gate = threading.Barrier(len(works))

    def work(act: Callable[[], object]) -> None:
        gate.wait()
        act()

    with ThreadPoolExecutor(len(works)) as pool:
        list(pool.map(work, works))


def step(db: Database, request_id: str, before: State, after: State, action: str) -> Witness:
    """One more record of a request, and the head that it made."""
    with db.write() as conn:
        made = entry(action).model_copy(update={"before": before, "after": after})
        audit.append(conn, request_id, [made])
    head = audit.head(db)
    return Witness(number=head.count, hash=head.hash)


def ended(db: Database, number: int) -> Request:
    made = born(db, number, State.SUCCEEDED, outcome=Outcome(code="proved"))
    step(db, made.id, State.FOLLOWING, State.SUCCEEDED, "succeeded")
    return made


def put(db: Database, request_id: str, origin: str, event: Event | None = None) -> int | None:
    return Inbox(db).put(event or click(), origin=origin, request_id=request_id)


def away(place: str = "postgresql://") -> StoreError:
    """What a server says that is not there now; of a file, an error of our own."""
    return StoreError(OperationalError("x", {}, Exception("closed")), make_url(place))


def click() -> Clicked:
    return clicked(pending(), "approve", "U0FIRST")
