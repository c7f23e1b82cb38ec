"""The audit trail in the database: one head, locked last, moved in the transaction of the act."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator, Iterable, Iterator

from sqlalchemy import Connection, RowMapping, insert, select, update

from bot.core.audit import Break, Head, Record, link, verify
from bot.core.entries import Entry
from bot.store.database import Database
from bot.store.schema import audit, audit_head

CHUNK = 1_000
"""Rows fetched at once when the whole trail is read: a long history must not fill the memory."""


def append(conn: Connection, request_id: str | None, entries: Iterable[Entry]) -> None:
    """Chain these entries. Last in a transaction: it takes the one lock all writers share."""
    entries = tuple(entries)
    if not entries:
        return
    row = conn.execute(select(audit_head).with_for_update()).one()
    head = Head(count=row.count, hash=row.hash)
    records = []
    for entry in entries:
        record = link(head, _columns(request_id, entry))
        head = Head(count=record.number, hash=record.hash)
        records.append({**record.model_dump(), "detail": _json(record.detail)})
    conn.execute(insert(audit), records)
    conn.execute(update(audit_head).values(count=head.count, hash=head.hash))


def head(db: Database) -> Head:
    with db.read() as conn:
        row = conn.execute(select(audit_head)).one()
        return Head(count=row.count, hash=row.hash)


def of_request(db: Database, request_id: str) -> list[Record]:
    with db.read() as conn:
        found = conn.execute(
            select(audit).where(audit.c.request_id == request_id).order_by(audit.c.number)
        )
        return [_record(row) for row in found.mappings()]


def export(db: Database) -> Iterator[Record]:
    """All records in order, in one consistent view."""
    with db.read() as conn:
        yield from _all(conn)


def check(db: Database) -> tuple[Break | None, Head]:
    """Verify the chain against its head, both read in one view."""
    with db.read() as conn:
        row = conn.execute(select(audit_head)).one_or_none()
        if row is None:
            return Break(number=1, why="removed: the head of the trail is gone"), Head()
        head = Head(count=row.count, hash=row.hash)
        # Closed by hand: a check that stops at a break leaves the rest on the server.
        with contextlib.closing(_all(conn)) as records:
            return verify(records, head), head


def _all(conn: Connection) -> Generator[Record, None, None]:
    query = select(audit).order_by(audit.c.number).execution_options(yield_per=CHUNK)
    with conn.execute(query) as rows:
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
    try:
        detail = json.loads(row["detail"])
    except ValueError:
        detail = {"unreadable": row["detail"]}  # somebody's hand: `verify` will name the record
    return Record(**{**row, "detail": detail if isinstance(detail, dict) else {"": detail}})


def _json(detail: dict[str, object]) -> str:
    return json.dumps(detail, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
