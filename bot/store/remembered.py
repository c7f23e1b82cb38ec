"""The last head of the audit trail that this process has committed.

If that record is not in the database any more, the database has gone back: a backup was put in its
place, or a standby took over without the last commits. A DELETE that was sent in between then looks
as if it had never been sent.
"""

from __future__ import annotations

import threading

import structlog
from sqlalchemy import Connection
from sqlalchemy.engine import URL

from bot.core.audit import Head
from bot.store.faults import went_back

log = structlog.get_logger(__name__)

_OF_CONNECTION, _MOVED = "remembered", "remembered_moved"


class Remembered:
    """Thread-safe. Only what is committed is remembered, and a statement looks only for what was
    remembered before it began. So neither our own rollbacks nor threads that commit out of order
    look like a database that has gone back."""

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
        """A sentence, once the database was found to have gone back. It stays until this process
        ends: whatever is stored later, the lost records stay lost."""
        return self._lost

    def seen(self, head: Head) -> None:
        """It is committed."""
        with self._lock:
            if head.count > self._head.count:
                self._head = head

    def compare(self, known: Head, there: str | None) -> None:
        """`there`: the hash that the database has now at the number of `known`."""
        if known.count == 0 or there == known.hash:
            return
        with self._lock:
            news = self._lost is None
            self._lost = self._lost or went_back(self._place, known.count).running()
        if news:
            log.critical("database_went_back", sentence=self._lost)

    # ---- of one transaction -------------------------------------------------------------------

    def begin(self, conn: Connection) -> None:
        conn.info[_OF_CONNECTION] = self
        conn.info.pop(_MOVED, None)  # of one that was rolled back

    def moved_in(self, conn: Connection) -> Head | None:
        moved: Head | None = conn.info.pop(_MOVED, None)
        return moved


def of(conn: Connection) -> Remembered:
    """That of the database which this connection writes to."""
    found: Remembered = conn.info[_OF_CONNECTION]
    return found


def moving(conn: Connection, head: Head) -> None:
    """Where this transaction takes the head, if it is committed."""
    conn.info[_MOVED] = head
