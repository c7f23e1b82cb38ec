"""The audit trail in the database. It has one head, which each transaction locks last and moves
together with what it records."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator, Iterable, Iterator
from typing import Any

from sqlalchemy import (
    Connection,
    LargeBinary,
    RowMapping,
    Select,
    bindparam,
    insert,
    literal,
    select,
    update,
)

from bot.request.audit_chain import STARTED, Entry, Head, Record, Running, link, started
from bot.request.model import OPEN, Request, State, Witness
from bot.store.database import Database
from bot.store.schema import audit, audit_head

# Statements are built once, since they run with every step of every request.
_HEAD_LOCKED = select(audit_head).with_for_update()
_INSERT = insert(audit)
_MOVE_HEAD = update(audit_head)

_SAME_REQUEST = (
    select(audit.c.number, audit.c.hash)
    .where(audit.c.request_id == bindparam("request_id"))
    .order_by(audit.c.number)
    .limit(1)
)
_OPEN, _ATTENTION = [state.value for state in OPEN], State.ATTENTION.value
_ENDED = _SAME_REQUEST.where(audit.c.after.not_in(_OPEN))
_CORRECTED = _SAME_REQUEST.where(audit.c.before == _ATTENTION, audit.c.after != _ATTENTION)

CHUNK = 1_000
"""Rows that are fetched at once when the whole trail is read, so that it need not fit into
memory."""


def append(conn: Connection, request_id: str | None, entries: Iterable[Entry]) -> None:
    """Add these entries to the chain. Call it last in a transaction: it locks the head, for which
    all other writers then wait."""
    entries = tuple(entries)
    if not entries:
        return
    row = conn.execute(_HEAD_LOCKED).one()
    head = Head(count=row.count, hash=row.hash)
    records = []
    for entry in entries:
        record = link(head, _columns(request_id, entry))
        head = Head(count=record.number, hash=record.hash)
        records.append({**record.model_dump(), "detail": _json(record.detail)})
    conn.execute(_INSERT, records)
    conn.execute(_MOVE_HEAD, {"count": head.count, "hash": head.hash})


def head(db: Database) -> Head:
    with db.read() as conn:
        row = conn.execute(select(audit_head)).one()
        return Head(count=row.count, hash=row.hash)


def of_request(db: Database, request_id: str) -> list[Record]:
    """With those whose `request_id` a hand has made bytes of: SQLite takes these for another
    value."""
    with reading(db) as conn:
        mine = audit.c.request_id == request_id
        if conn.dialect.name == "sqlite":
            mine |= audit.c.request_id == literal(request_id.encode(), LargeBinary)
        found = conn.execute(select(audit).where(mine).order_by(audit.c.number))
        return [_record(row) for row in found.mappings()]


def witnessed(conn: Connection, request: Request) -> Request:
    """The request with the records that ended and corrected it. Their hashes were the head of the
    trail then, and the messages always show these, however often they are drawn."""
    if request.state.open:
        return request
    ended = _witness(conn, _ENDED, request.id)
    corrected = _witness(conn, _CORRECTED, request.id) if request.correction else None
    return request.model_copy(update={"ended_in": ended, "corrected_in": corrected})


def _witness(conn: Connection, query: Select[tuple[int, str]], request_id: str) -> Witness | None:
    row = conn.execute(query, {"request_id": request_id}).one_or_none()
    return Witness(number=row.number, hash=row.hash) if row else None


def with_head(db: Database, head: str) -> Record | None:
    """The record whose hash begins with `head`, in lower-case hexadecimal: Slack shows only its
    beginning."""
    with reading(db) as conn:
        query = select(audit).where(audit.c.hash.startswith(head)).order_by(audit.c.number)
        row = conn.execute(query.limit(1)).mappings().one_or_none()
        return _record(row) if row else None


def note_start(db: Database, running: Running) -> None:
    """Adds one record: the policy in force, and how it differs from the start before."""
    # Found by the index of those that belong to no request.
    starts = select(audit).where(audit.c.request_id.is_(None), audit.c.action == STARTED)
    query = starts.order_by(audit.c.number.desc()).limit(1)
    with db.write() as conn:
        row = conn.execute(query).mappings().one_or_none()
        before = _record(row).detail if row else None
        append(conn, None, [started(running, before, db.now(conn))])


def export(db: Database, since: int | None = None) -> Iterator[Record]:
    """All records, or those after number `since`, in order and from one consistent view."""
    with reading(db, at_leisure=True) as conn:
        yield from all_records(conn, since)


@contextlib.contextmanager
def reading(db: Database, *, at_leisure: bool = False) -> Iterator[Connection]:
    """A read that also works if somebody has put bytes that are not text into SQLite (PostgreSQL
    accepts none). They become surrogates, as in Python's file names; the error would otherwise not
    say which record it is."""
    with db.read(at_leisure=at_leisure) as conn:
        if conn.dialect.name != "sqlite":
            yield conn
            return
        driver: Any = conn.connection.driver_connection
        driver.text_factory = lambda raw: raw.decode(errors="surrogateescape")
        try:
            yield conn
        finally:
            driver.text_factory = str


def all_records(conn: Connection, since: int | None = None) -> Generator[Record, None, None]:
    query = select(audit).order_by(audit.c.number)
    if since is not None:  # all means all: what a hand has put before number 1 as well
        query = query.where(audit.c.number > since)
    with conn.execute(query.execution_options(yield_per=CHUNK)) as rows:
        for row in rows.mappings():
            yield _record(row)


def _columns(request_id: str | None, entry: Entry) -> dict[str, object]:
    return {
        "at": entry.at,
        "request_id": request_id,
        "actor": entry.actor,
        "action": entry.action,
        "message": entry.message,
        "before": entry.before.value if entry.before else None,
        "after": entry.after.value if entry.after else None,
        "detail": json.loads(_json(entry.detail)),
    }


def _record(row: RowMapping) -> Record:
    """Types are exact and `detail` is the text that was written, to the byte. A record of which
    that is not true was changed by hand. It is returned as words, whose hash is not its own."""
    with contextlib.suppress(TypeError, ValueError, RecursionError):
        detail = json.loads(row["detail"])
        if _json(detail) == row["detail"]:
            return Record.model_validate({**row, "detail": detail}, strict=True)
    words = {name: _words(value) for name, value in row.items()}
    bare = dict.fromkeys(("message", "before", "after", "request_id"))
    number, at = (_whole(words[name]) for name in ("number", "at"))
    return Record(**{**words, **bare, "number": number, "at": at, "detail": words})


def _whole(words: str) -> int:
    return int(words) if words.isdecimal() and len(words) < 20 else 0


def _words(value: object) -> str:
    return value.decode(errors="surrogateescape") if isinstance(value, bytes) else str(value)


def _json(detail: dict[str, object]) -> str:
    return json.dumps(detail, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
