"""The audit trail in the database, verified: whether each record is as it was written, and whether
it is the one that the log told of then."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from bot.request.audit_chain import Head, verify
from bot.store.audit_trail import CHUNK, all_records, reading
from bot.store.database import Database
from bot.store.schema import audit, audit_head


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
    number `first` to number `last`. `broken`: the first number whose record is not the one that was
    told then, or is not there; None when each is."""

    lines: int
    first: int | None
    last: int | None
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
        broken=min([*broken, *told], default=None),
    )
