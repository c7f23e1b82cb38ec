"""The audit trail in the database: written, read, verified, and told to the log.

It has one head, which each transaction locks last and moves together with what it records.

Each record has a line in the log too, with its number and hash (`AuditLines`). Whatever ships the
log away is then a witness of the trail. A line is written after the commit of its record, so a kill
in between leaves it out. Therefore the number up to which lines are written is stored now and then,
and a start writes all lines after it: some twice, none never. It is stored in the database and not
beside it, so that a database that is restored from a backup brings its own number, and what is
recorded from then on is told as well.
"""

from __future__ import annotations

import contextlib
import json
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import structlog
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

from bot.request.audit_chain import STARTED, Entry, Head, Record, Running, link, started, verify
from bot.request.model import OPEN, Request, State, Witness
from bot.store.database import Database, change_shared, read_shared
from bot.store.schema import audit, audit_head

log = structlog.get_logger(__name__)

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
        columns = entry.model_dump(mode="json", exclude={"detail"})
        columns |= {"request_id": request_id, "detail": json.loads(_json(entry.detail))}
        record = link(head, columns)
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


def verify_trail(db: Database) -> tuple[int | None, Head]:
    """The number of the first record that is not as it was written (None: the trail is whole), and
    the head, both read from one view. By a head that is gone or cannot be read, all were
    inserted."""
    with reading(db) as conn:
        row = conn.execute(select(audit_head.c.count, audit_head.c.hash)).mappings().one_or_none()
        head = Head(hash="")
        with contextlib.suppress(ValueError):
            head = Head.model_validate(dict(row), strict=True) if row else head
        # Closed explicitly: a check that stops at a break leaves rows on the server.
        with contextlib.closing(all_records(conn)) as records:
            return verify(records, head), head


@dataclass(frozen=True)
class Held:
    """The trail held against lines of its log. `lines`: how many different ones there were, from
    number `first` to number `last`. `gap`: the first number between these of which there was none.
    `broken`: the first number whose record is not the one that was told then, or is not there; None
    when each is."""

    lines: int
    first: int | None
    last: int | None
    gap: int | None
    broken: int | None


def held_against(db: Database, lines: Iterable[tuple[int, str]]) -> Held:
    """`lines`: number and hash of each line, in any order and as often as it was written. Two with
    the same number and different hashes are records of two trails, of which one is gone."""
    told: defaultdict[int, set[str]] = defaultdict(set)
    for number, hash_ in lines:
        told[number].add(hash_)
    numbers = sorted(told)
    broken = []
    with db.read(at_leisure=True) as conn:
        query = select(audit.c.number, audit.c.hash).order_by(audit.c.number)
        with conn.execute(query.execution_options(yield_per=CHUNK)) as rows:
            for row in rows:
                hashes = told.pop(row.number, None)
                if hashes is not None and hashes != {row.hash}:
                    broken.append(row.number)
    return Held(
        lines=len(numbers),
        first=numbers[0] if numbers else None,
        last=numbers[-1] if numbers else None,
        gap=next((a + 1 for a, b in pairwise(numbers) if b != a + 1), None),
        broken=min([*broken, *told], default=None),
    )


KEY = "audit-lines"
"""Under which the copies share the number up to which lines are written. Each copy that runs writes
all of them; what it missed while it was down is in the log of another."""


class AuditLines:
    """Writes the lines, in the order of the records. For one thread."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._last = -1

    def write(self) -> None:
        """A line for each record that has none yet. Raises what the database raises; the next call
        goes on where this one ended."""
        if self._last < 0:
            stored = read_shared(self._db, KEY)
            last = int(stored[0]) if stored else 0
            # Fewer records than lines: the trail was cut while nothing ran. Tell all of it.
            self._last = last if last <= head(self._db).count else 0
        query = select(audit.c.number, audit.c.hash).where(audit.c.number > self._last)
        query = query.order_by(audit.c.number).execution_options(yield_per=CHUNK)
        with self._db.read() as conn, conn.execute(query) as rows:
            for row in rows:
                log.info("audit", number=row.number, hash=row.hash)
                self._last = row.number

    def keep(self) -> None:
        """Stores how far `write` has come."""
        change_shared(self._db, KEY, lambda _old, _now: str(self._last))
