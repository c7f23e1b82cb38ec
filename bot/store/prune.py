"""What is over and only served the bot goes after KEEP_FOR: absorbed events, sent messages, and of
an ended request what only its card showed. Its line stays, and the audit trail stays for ever.

What is open or in `attention` keeps everything, however old it is: it may still be pressed.
"""

from __future__ import annotations

from sqlalchemy import Column, ColumnElement, Connection, delete, exists, select, update

from bot.request.model import OPEN, State
from bot.store.database import Database
from bot.store.inbox import erase_addresses
from bot.store.schema import inbox, messages, requests
from bot.store.set_aside import request_in

BATCH = 200
"""Rows of one transaction, which makes everybody else wait on SQLite."""

_KEPT = sorted({*OPEN, State.ATTENTION})


def prune(db: Database, keep_ms: int) -> int:
    """One short transaction. How many rows have gone; 0 when nothing is left that is old enough.
    Addresses that no longer work are erased as well."""
    with db.write() as conn:
        now = db.now(conn)
        erase_addresses(conn, now)
        return _events(conn, now - keep_ms) + _messages(db, conn, now - keep_ms, now)


def _needed_by(request_id: Column[str]) -> ColumnElement[bool]:
    return exists().where(requests.c.id == request_id, requests.c.state.in_(_KEPT))


def _events(conn: Connection, before: int) -> int:
    """Those that were absorbed. Numbers grow with the time, so the oldest that nobody needs are
    looked at, and no index is needed."""
    columns = (inbox.c.number, inbox.c.at, inbox.c.absorbed_at)
    unneeded = select(*columns).where(~_needed_by(inbox.c.request_id))
    oldest = unneeded.order_by(inbox.c.number).limit(BATCH).subquery()
    over = oldest.c.at <= before, oldest.c.absorbed_at.isnot(None)
    those = select(oldest.c.number).where(*over)
    return conn.execute(delete(inbox).where(inbox.c.number.in_(those))).rowcount


def _messages(db: Database, conn: Connection, before: int, now: int) -> int:
    over = messages.c.due_at.is_(None), messages.c.created_at <= before
    query = select(messages.c.request_id).where(*over, ~_needed_by(messages.c.request_id))
    found = conn.execute(query.order_by(messages.c.created_at).limit(BATCH)).scalars()
    gone = 0
    for request_id in dict.fromkeys(found):
        if _shortened(db, conn, request_id, now):
            mine = messages.c.request_id == request_id
            gone += conn.execute(delete(messages).where(mine, *over)).rowcount
    return gone


def _shortened(db: Database, conn: Connection, request_id: str, now: int) -> bool:
    """Whether the row, which has ended, was shortened, or there is none. Not while somebody holds
    it, an event waits for it, or it cannot be read. The lock is the claim here, and the version
    says that the row has changed."""
    query = select(requests).where(requests.c.id == request_id).with_for_update()
    row = conn.execute(query).one_or_none()
    if row is None:
        return True
    waits = exists().where(inbox.c.request_id == request_id, inbox.c.absorbed_at.is_(None))
    if row.lease_until > now or conn.execute(select(waits)).scalar_one():
        return False
    request = request_in(db, request_id, row.body)
    if request is None:
        return False
    if request.pruned_at is None:
        body = request.pruned(now).model_dump_json()
        held = requests.c.version == row.version, requests.c.lease_until <= now
        shorter = update(requests).where(requests.c.id == request_id, *held)
        conn.execute(shorter.values(body=body, version=row.version + 1))
    return True
