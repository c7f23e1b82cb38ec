"""The last head of the audit trail that this process has committed.

If that record is no longer in the database, the database has gone back to an earlier state: a
backup was restored, or a standby took over without the last commits. A DELETE that was sent in the
meantime then looks as if it had never been sent.
"""

from __future__ import annotations

import threading

import structlog
from sqlalchemy import Connection
from sqlalchemy.engine import URL

from bot.request.audit import Head
from bot.store.faults import went_back

log = structlog.get_logger(__name__)

_OF_CONNECTION, _MOVED = "remembered", "remembered_moved"


class Remembered:
    """Thread-safe. Only committed heads are remembered, and a statement only looks for one that was
    remembered before it began. So neither our own rollbacks nor threads that commit in another
    order look like a database that has gone back."""

    def __init__(self, place: URL) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._head = Head()
        self._lost: str | None = None

    @property
    def head(self) -> Head:
        return self._head

    @property
    def lost(self) -> str | None:
        """A sentence once the database is found to have gone back, else None. It stays until this
        process ends: whatever is stored later, the lost records stay lost."""
        return self._lost

    def seen(self, head: Head) -> None:
        """Remember a head that is committed."""
        with self._lock:
            if head.count > self._head.count:
                self._head = head

    def compare(self, known: Head, there: str | None) -> None:
        """Checks that the known record is still there. `there` is the hash that the database now
        has for its number, None if it has no such record."""
        if known.count == 0 or there == known.hash:
            return
        with self._lock:
            news = self._lost is None
            self._lost = self._lost or went_back(self._place, known.count).running()
        if news:
            log.critical("database_went_back", sentence=self._lost)

    # ---- within one transaction ---------------------------------------------------------------

    def begin(self, conn: Connection) -> None:
        conn.info[_OF_CONNECTION] = self
        conn.info.pop(_MOVED, None)  # left by a transaction that was rolled back

    def moved_in(self, conn: Connection) -> Head | None:
        moved: Head | None = conn.info.pop(_MOVED, None)
        return moved


def of(conn: Connection) -> Remembered:
    """The one that belongs to the database of this connection."""
    found: Remembered = conn.info[_OF_CONNECTION]
    return found


def moving(conn: Connection, head: Head) -> None:
    """Note the new head of this transaction. It counts once the transaction is committed."""
    conn.info[_MOVED] = head
