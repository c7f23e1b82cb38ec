"""The audit chain: each record is hashed over all its columns, the hash of the one before included.

It proves that nobody has changed, removed or inserted a record without making every later hash and
the head anew. If a copy of the head is kept elsewhere, it proves that nobody has done even that.
The final replies in Slack are such copies (`Witness`).
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterable
from typing import Any

from bot.core.frozen import Frozen

GENESIS = "0" * 64
SHORT = 16
"""Characters of a head as people see it, for `verify --head`. Somebody who can write to the
database could try details until the hash of a forged record begins like the one that Slack knows:
with 48 bits that is a night's work for one machine, with these 64 it takes decades."""

NEAR = 1_000
"""How many numbers up and down the old place of a moved record is looked for."""


class Record(Frozen):
    """One stored line. `number` counts from 1 without a gap; `at` is ms epoch."""

    number: int
    at: int
    request_id: str | None
    actor: str
    action: str
    message: str | None
    before: str | None
    after: str | None
    detail: dict[str, Any]
    previous: str
    hash: str

    @property
    def expected_hash(self) -> str:
        return chain_hash(self.model_dump(exclude={"hash"}))


class Witness(Frozen):
    """A record as the thread shows it. When it was written, its hash was the head of the trail."""

    number: int
    hash: str

    @property
    def short(self) -> str:
        return self.hash[:SHORT]


class Head(Frozen):
    """How many records there are, and the hash of the last one: by these a cut-off tail is
    found."""

    count: int = 0
    hash: str = GENESIS

    @property
    def short(self) -> str:
        return self.hash[:SHORT]


class Break(Frozen):
    """The first record that is not as it was written. `number` is the one that the export shows."""

    number: int
    why: str


def chain_hash(columns: dict[str, Any]) -> str:
    """SHA-256 over a canonical form: sorted keys, no spaces, UTF-8. No record is written with lone
    surrogates; they are hashed all the same, so that `verify` names such a record and does not
    fail."""
    canonical = json.dumps(columns, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode(errors="surrogatepass")).hexdigest()


def link(head: Head, columns: dict[str, Any]) -> Record:
    """The next record after `head`, from every column but `number`, `previous` and `hash`."""
    full = {**columns, "number": head.count + 1, "previous": head.hash}
    return Record(**full, hash=chain_hash(full))


def verify(records: Iterable[Record], head: Head) -> Break | None:
    """None when the chain is whole up to `head`; records come in the order of their numbers."""
    number, previous = 0, GENESIS
    lately = deque([GENESIS], maxlen=NEAR)  # the hashes so far: the last is that of `number`
    for record in records:
        expected = number + 1
        if record.number != expected:
            missing = record.number > expected
            why = "removed: the numbers jump here" if missing else "inserted: its number is taken"
            return Break(number=expected if missing else record.number, why=why)
        if record.previous != previous:
            return _unlinked(record, lately)
        if record.hash != record.expected_hash:
            return Break(number=record.number, why="changed: it is not what was hashed")
        number, previous = record.number, record.hash
        lately.append(previous)
    if number < head.count:
        return Break(number=number + 1, why="removed: the trail ends before its head")
    if number > head.count:
        return Break(number=head.count + 1, why="inserted: the trail goes on after its head")
    if previous != head.hash:
        why = "changed, or those after it removed: its hash is not that of the head"
        return Break(number=max(number, 1), why=why)
    return None


def _unlinked(record: Record, lately: deque[str]) -> Break:
    """`record` was not written after the one that stands before it, though that one is whole by
    itself. So the one before was changed, or one of the two was inserted or moved by hand."""
    number = record.number
    was = _written_as(record)
    if was is None or was == number == 1:
        return Break(number=number, why="changed: it does not follow the record before it")
    if was == number:
        why = f"changed, its hash made anew: record {number} was written after another one"
        return Break(number=number - 1, why=why)
    if was > number:
        why = f"removed or moved: what stands here was written as number {was}"
        return Break(number=number, why=why)
    place = len(lately) - (number - was)
    if place >= 0 and lately[place] == record.hash:
        return Break(number=number, why=f"inserted: it is record {was} once more")
    return Break(number=was, why=f"inserted: number {number} was written as {was}")


def _written_as(record: Record) -> int | None:
    """The number under which its hash is right, if that is near."""
    near = sorted(
        range(max(1, record.number - NEAR), record.number + NEAR),
        key=lambda n: abs(n - record.number),
    )
    return next((n for n in near if record.hash == _hash_as(record, n)), None)


def _hash_as(record: Record, number: int) -> str:
    return record.model_copy(update={"number": number}).expected_hash
