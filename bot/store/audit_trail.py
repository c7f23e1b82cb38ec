"""The audit trail in the database: written, signed, read and verified.

It has one head, which each transaction locks last and moves together with what it records.
"""

from __future__ import annotations

import contextlib
import json
import uuid
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

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
from bot.request.audit_signatures import LISTED, Signatures, listed_after, listing
from bot.request.model import OPEN, Request, State, Witness
from bot.store.database import RECORDED, SIGNER, Database
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


class Signer(Protocol):
    """`bot.audit_key.AuditKey`. `public` in PEM."""

    @property
    def id(self) -> str: ...
    @property
    def public(self) -> str: ...
    def sign(self, digest: str) -> str: ...


class MayNotSign(Exception):
    """This process has no key, or one that the trail does not list, while its records are signed.
    Nothing was written."""


def append(conn: Connection, request_id: str | None, entries: Iterable[Entry]) -> None:
    """Add these entries to the chain, signed by the key of the transaction's Database. Call it last
    in a transaction: it locks the head, for which all other writers then wait. Raises
    MayNotSign."""
    entries = tuple(entries)
    if not entries:
        return
    row = conn.execute(_HEAD_LOCKED).one()
    head, keys = Head(count=row.count, hash=row.hash), tuple(row.signers.split())
    signer: Signer | None = conn.info.get(SIGNER)
    if keys:
        may_sign(signer, keys)
    elif signer is not None:
        first = listing(signer.public, entries[0].at, deployment=str(uuid.uuid4()))
        entries = (first, *entries)
    records = []
    for entry in entries:
        columns = entry.model_dump(mode="json", exclude={"detail"})
        of = None if entry.action == LISTED else request_id
        columns |= {"request_id": of, "detail": json.loads(_json(entry.detail))}
        record = link(head, columns)
        if signer is not None:
            signed = {"signature": signer.sign(record.hash), "key": signer.id}
            record = record.model_copy(update=signed)
        head = Head(count=record.number, hash=record.hash)
        keys = listed_after(keys, entry)
        records.append(record)
    conn.execute(_INSERT, [{**r.model_dump(), "detail": _json(r.detail)} for r in records])
    conn.execute(_MOVE_HEAD, {"count": head.count, "hash": head.hash, "signers": " ".join(keys)})
    conn.info.setdefault(RECORDED, []).extend(records)


def may_sign(signer: Signer | None, keys: Sequence[str]) -> None:
    """Raises MayNotSign. `keys`: the ids of those that may; none where nothing is signed yet."""
    if not keys or (signer is not None and signer.id in keys):
        return
    if signer is None:
        raise MayNotSign(
            "The records of the audit trail are signed, and no key is set: set AUDIT_KEY_FILE to "
            f"one that the trail lists ({', '.join(keys)})."
        )
    raise MayNotSign(
        f"The audit trail does not list the key {signer.id} of AUDIT_KEY_FILE, or has retired it: "
        "set one that it lists, or list this one where such a key is set, with `vr-unpair audit "
        f"add-key`. It lists {', '.join(keys)}."
    )


def listed(db: Database) -> tuple[str, ...]:
    """The ids of the keys that may sign the next record."""
    with db.read() as conn:
        return tuple(conn.execute(select(audit_head.c.signers)).scalar_one().split())


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
        return [record_of(row) for row in found.mappings()]


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
        return record_of(row) if row else None


def note_start(db: Database, running: Running) -> None:
    """Adds one record: the policy in force, and how it differs from the start before."""
    # Found by the index of those that belong to no request.
    starts = select(audit).where(audit.c.request_id.is_(None), audit.c.action == STARTED)
    query = starts.order_by(audit.c.number.desc()).limit(1)
    with db.write() as conn:
        row = conn.execute(query).mappings().one_or_none()
        before = record_of(row).detail if row else None
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
            yield record_of(row)


def record_of(row: RowMapping) -> Record:
    """Types are exact and `detail` is the text that was written, to the byte. A record of which
    that is not true was changed by hand. It is returned as words, whose hash is not its own."""
    with contextlib.suppress(TypeError, ValueError, RecursionError):
        detail = json.loads(row["detail"])
        if _json(detail) == row["detail"]:
            return Record.model_validate({**row, "detail": detail}, strict=True)
    words = {name: _words(value) for name, value in row.items()}
    bare = dict.fromkeys(("message", "before", "after", "request_id", "signature", "key"))
    number, at = (_whole(words[name]) for name in ("number", "at"))
    return Record(**{**words, **bare, "number": number, "at": at, "detail": words})


def _whole(words: str) -> int:
    return int(words) if words.isdecimal() and len(words) < 20 else 0


def _words(value: object) -> str:
    return value.decode(errors="surrogateescape") if isinstance(value, bytes) else str(value)


def _json(detail: dict[str, object]) -> str:
    return json.dumps(detail, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def verify_trail(db: Database, signatures: Signatures | None = None) -> tuple[int | None, Head]:
    """The number of the first record that is not as it was written, or that `signatures` refuses
    (None: the trail is whole), and the head, both read from one view. By a head that is gone or
    cannot be read, all were inserted."""
    with reading(db) as conn:
        row = conn.execute(select(audit_head.c.count, audit_head.c.hash)).mappings().one_or_none()
        head = Head(hash="")
        with contextlib.suppress(ValueError):
            head = Head.model_validate(dict(row), strict=True) if row else head
        # Closed explicitly: a check that stops at a break leaves rows on the server.
        with contextlib.closing(all_records(conn)) as records:
            refuses = signatures.refuses if signatures else lambda _record: False
            return verify(records, head, refuses), head


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
