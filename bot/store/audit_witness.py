"""What this process tells the witnesses of the audit trail: its log a line for each record, and a
collector, where one is set, the record itself.

What this process has recorded it tells from what it had in hand, whatever the database says later;
what other copies have recorded, as it finds it there. A record is told after its commit, so a kill
in between leaves it out. Therefore the number up to which records are told is stored now and then,
and a start tells all after it: some twice, none never. It is stored in the database and not beside
it, so that a database that is restored from a backup brings its own number, and what is recorded
from then on is told as well.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy import bindparam, select
from sqlalchemy.exc import SQLAlchemyError

from bot.request.audit_chain import Record
from bot.request.problem import Problem, ProblemKind
from bot.store.audit_trail import CHUNK, head, record_of
from bot.store.database import Database, change_shared, read_shared
from bot.store.schema import audit

log = structlog.get_logger("bot.store.audit_trail")

_AFTER = select(audit).where(audit.c.number > bindparam("told")).order_by(audit.c.number)
_NEXT = _AFTER.limit(CHUNK)

Tell = Callable[[Sequence[Record], float], None]
"""Takes records in the order of their numbers, and the monotonic second by which it must be over;
returns when they are told. What it raises means that they may not be."""

LINES, COLLECTED = "audit-lines", "audit-collected"
"""Under which the copies share how far they are. Each copy that runs writes all lines; what it
missed while it was down is in the log of another. The collector needs each record from one copy."""


def write_lines(records: Sequence[Record], _by: float) -> None:
    for record in records:
        log.info("audit", number=record.number, hash=record.hash)


class Telling:
    """For several threads, of which one tells at a time."""

    def __init__(self, db: Database, key: str, tell: Tell) -> None:
        self._db, self._key, self._tell = db, key, tell
        self._last = -1
        self._hand: dict[int, Record] = {}
        self._lock, self._in_hand = threading.Lock(), threading.Lock()
        db.on_recorded.append(self._hear)

    def up_to_now(self, within_s: float) -> None:
        """Tells each record that is not told yet. Raises what the database and the witness raise,
        or TimeoutError; the next call goes on where this one ended."""
        by = time.monotonic() + within_s
        if not self._lock.acquire(timeout=max(0.0, within_s)):
            raise TimeoutError("another thread tells it something still")
        try:
            self._last = self._begin()
            while self._some(by):
                pass
        finally:
            self._lock.release()

    def keep(self) -> None:
        """Stores how far it is."""
        last = str(self._last)
        change_shared(self._db, self._key, lambda _old, _now: last)

    def _begin(self) -> int:
        shared = self._key == COLLECTED
        if self._last >= 0 and not shared:
            return self._last
        stored = read_shared(self._db, self._key)
        last = max(self._last, int(stored[0]) if stored else 0)
        # Fewer records than were told: the trail was cut. Tell all of it.
        return last if last <= head(self._db).count else 0

    def _some(self, by: float) -> bool:
        """Whether there may be more."""
        with self._in_hand:
            hand = dict(self._hand)
        with self._db.read() as conn:
            rows = conn.execute(_NEXT, {"told": self._last}).mappings().all()
        found = {row["number"]: row for row in rows}
        more = len(found) == CHUNK
        numbers = found.keys() | {n for n in hand if not more or n <= max(found)}
        if not numbers:
            return False
        if time.monotonic() > by:
            raise TimeoutError("there was no time left for it")
        ordered = sorted(numbers)
        self._tell([hand.get(n) or record_of(found[n]) for n in ordered], by)
        with self._in_hand:
            for number in ordered:
                self._hand.pop(number, None)
        self._last = max(self._last, ordered[-1])
        return more

    def _hear(self, records: Sequence[Record]) -> None:
        if not records:
            return
        with self._in_hand:
            self._hand.update((record.number, record) for record in records)
            while len(self._hand) > CHUNK:  # a witness that is away for long: from the database
                del self._hand[min(self._hand)]


def before_act(telling: Telling, witness: str) -> Callable[[float], Problem | None]:
    """See `bot.worker.effects.Effects.witness`. `witness`: how people are told of it."""

    def told(within_s: float) -> Problem | None:
        try:
            telling.up_to_now(within_s)
        except Exception as error:  # whatever it was: without a witness nothing is sent
            why = type(error).__name__ if isinstance(error, SQLAlchemyError) else str(error)
            text = f"{witness} has not got the records of the audit trail ({why})"
            return Problem(
                kind=ProblemKind.UNWITNESSED,
                text=f"{text}, and AUDIT_BEFORE_ACT lets nothing be sent before that.",
            )
        return None

    return told
