"""The audit chain: each record is hashed over all its columns, the hash of the one before included.

It proves that nobody has changed, removed or inserted a record without making every later hash and
the head anew. If a copy of the head is kept elsewhere, it proves that nobody has done even that.
The final replies in Slack are such copies (`Witness`). Where a key signs each hash, nobody can make
one anew without it (`audit_signatures.py`).
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from bot.request import Frozen
from bot.request.model import SHORT, State
from bot.request.who_may import Policy

GENESIS = "0" * 64

NEAR = 1_000
"""How many numbers back the old place of a record that stands elsewhere now is looked for."""


class Record(Frozen):
    """One stored line. `number` counts from 1 without a gap; `at` is ms epoch. `signature` is that
    of the key with the id `key` over `hash`; None where no key was set."""

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
    signature: str | None = None
    key: str | None = None

    @property
    def expected_hash(self) -> str:
        return chain_hash(self.model_dump(exclude={"hash", "signature", "key"}))


class Head(Frozen):
    """How many records there are, and the hash of the last one: by these a cut-off tail is
    found."""

    count: int = 0
    hash: str = GENESIS

    @property
    def short(self) -> str:
        return self.hash[:SHORT]


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


Refuses = Callable[[Record], bool]


def verify(
    records: Iterable[Record], head: Head, refuses: Refuses = lambda _record: False
) -> int | None:
    """The number, as the export shows it, of the first record that was changed, removed (the last
    ones included) or inserted, or that `refuses` says no to; None when the chain is whole up to
    `head`. Records come in the order of their numbers."""
    broken, end = verify_to_the_end(records, refuses)
    if broken is not None:
        return broken
    if end.count != head.count:
        return min(end.count, head.count) + 1
    return None if end.hash == head.hash else max(end.count, 1)


def verify_to_the_end(
    records: Iterable[Record], refuses: Refuses, start: Head | None = None
) -> tuple[int | None, Head]:
    """The same without a head, from behind `start`, with where it ended."""
    start = start or Head()
    number, previous = start.count, start.hash
    lately = deque([previous], maxlen=NEAR)  # the hashes so far: the last is that of `number`
    broken = None
    for record in records:
        if record.number != number + 1:
            broken = min(record.number, number + 1)
        elif record.previous != previous:
            broken = _first_of(record, lately)
        elif record.hash != record.expected_hash or refuses(record):
            broken = record.number
        if broken is not None:
            break
        number, previous = record.number, record.hash
        lately.append(previous)
    return broken, Head(count=number, hash=previous)


def _first_of(record: Record, lately: deque[str]) -> int:
    """`record` was not written after the one that stands before it, though that one is whole by
    itself: either one of the two was changed, or records were inserted or removed between them."""
    number = record.number
    for was in range(number, max(0, number - NEAR), -1):
        written = record.model_copy(update={"number": was})
        if record.hash == written.expected_hash:
            break
    else:
        return number
    if was == number:
        return max(number - 1, 1)  # it is as it was written, so the one before was changed
    twice = number - was <= len(lately) and lately[was - number] == record.hash
    return number if twice else was  # it made room for the one that stands in its old place


SYSTEM = "vr-unpair"
"""The actor of whatever no person did."""


class Entry(Frozen):
    """One line of the audit trail before it is chained: who did what, by which message, and the
    state before and after (None if it belongs to no request)."""

    action: str
    actor: str
    at: int
    message: str | None = None
    before: State | None = None
    after: State | None = None
    detail: dict[str, Any]


STARTED = "started"


class Running(Frozen):
    """One start of `vr-unpair run`; nothing in it is a secret. `mode` is the way in from Slack."""

    version: str
    mode: str
    command: str
    policy: Policy


def started(running: Running, before: dict[str, Any] | None, now: int) -> Entry:
    """`before` is the detail of the start before this one; None when this is the first."""
    detail = _plain(running)
    if before is not None:
        names = sorted((detail.keys() | before.keys()) - {"changed"})
        detail["changed"] = {
            name: {"before": before.get(name), "after": detail.get(name)}
            for name in names
            if before.get(name) != detail.get(name)
        }
    return Entry(action=STARTED, actor=SYSTEM, at=now, detail=detail)


def _plain(running: Running) -> dict[str, Any]:
    """All names on one level, and people sorted, so that an equal policy gives an equal record."""
    policy = running.policy.model_dump(mode="json")
    for name, value in running.policy:
        if isinstance(value, frozenset):
            policy[name] = sorted(value)
    return {**running.model_dump(mode="json", exclude={"policy"}), **policy}
