"""What `/metrics` reads, in one view: open rows, waiting messages and counts from an index.

A scrape may come every few seconds, so no query reads the rows of ended requests. With 100,000 of
them it takes milliseconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from bot.request.figures import Figures
from bot.request.model import OPEN, Request, State
from bot.store.database import Database
from bot.store.schema import GLASS_BROKEN, audit, messages, requests, shared

_OPEN = sorted(state.value for state in OPEN)


def read(db: Database, keys: Sequence[str]) -> Figures:
    """`keys` are those of the values that all copies share. Raises what the database raises."""
    with db.read() as conn:
        now = db.now(conn)
        waiting, unposted = _messages(conn, now)
        return Figures(
            at=now,
            by_state=_by_state(conn),
            oldest_ms=_oldest(conn, now),
            waiting=waiting,
            unposted_ms=unposted,
            shared=_shared(conn, keys),
            glass_broken=_glass_broken(conn),
        )


def _by_state(conn: Connection) -> dict[str, int]:
    rows = conn.execute(select(requests.c.state, func.count()).group_by(requests.c.state))
    return {row[0]: row[1] for row in rows}


def _oldest(conn: Connection, now: int) -> dict[str, int]:
    """The age in ms of the oldest open request of each state. No column says when a state began, so
    the open rows are read: at most one for each pairing, and those that are being checked."""
    found: dict[str, int] = {}
    columns = (requests.c.state, requests.c.body)
    for row in conn.execute(select(*columns).where(requests.c.state.in_(_OPEN))):
        began = _began(Request.model_validate_json(row.body))
        found[row.state] = max(0, now - began, found.get(row.state, 0))
    return found


def _began(request: Request) -> int:
    """When the state began; for `following`, when the DELETE was sent that led to it."""
    match request.state:
        case State.PENDING:
            began = request.pending_since
        case State.APPROVED:
            began = request.approved_at
        case State.DELETING | State.FOLLOWING:
            began = request.intent.at if request.intent else None
        case _:
            began = None
    return request.created_at if began is None else began


def _messages(conn: Connection, now: int) -> tuple[dict[str, int], dict[str, int]]:
    """By kind: how many messages wait, and the age in ms of the oldest that was never shown."""
    columns = (messages.c.slot, messages.c.shown, messages.c.created_at)
    waiting: Counter[str] = Counter()
    unposted: dict[str, int] = {}
    for row in conn.execute(select(*columns).where(messages.c.due_at.isnot(None))):
        kind = row.slot.partition(":")[0]
        waiting[kind] += 1
        if row.shown is None:
            unposted[kind] = max(now - row.created_at, unposted.get(kind, 0))
    return dict(waiting), unposted


def _shared(conn: Connection, keys: Sequence[str]) -> dict[str, str]:
    rows = conn.execute(select(shared.c.key, shared.c.value).where(shared.c.key.in_(keys)))
    return {row.key: row.value for row in rows}


def _glass_broken(conn: Connection) -> int:
    # Written exactly as in the index: with a parameter neither database would use that.
    return int(conn.execute(select(func.count(audit.c.number)).where(GLASS_BROKEN)).scalar_one())
