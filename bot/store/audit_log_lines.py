"""The audit trail's lines in the log: one for each record, with its number and hash. Whatever ships
the log away is then a witness of the trail.

A line is written after the commit of its record, so a kill in between leaves it out. Therefore the
number up to which lines are written is stored now and then, and a start writes all lines after it:
some twice, none never. It is stored in the database and not beside it, so that a database that is
restored from a backup brings its own number, and what is recorded from then on is told as well.
"""

from __future__ import annotations

import threading

import structlog
from sqlalchemy import select

from bot.store import shared
from bot.store.audit_trail import CHUNK, head
from bot.store.database import Database
from bot.store.schema import audit

log = structlog.get_logger(__name__)

KEY = "audit-lines"
"""Under which the copies share the number up to which lines are written. Each copy writes all of
them, so the log of each is a whole witness."""


class AuditLines:
    """Writes them, in the order of the records."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._lock = threading.Lock()
        self._kept = self._last = -1

    def write(self) -> None:
        """A line for each record that has none yet. Raises what the database raises; the next call
        goes on where this one ended."""
        with self._lock:
            if self._last < 0:
                stored = shared.read(self._db, KEY)
                last = int(stored[0]) if stored else 0
                # Fewer records than lines: the trail was cut while nothing ran. Tell all of it.
                self._last = self._kept = last if last <= head(self._db).count else 0
            query = select(audit.c.number, audit.c.hash).where(audit.c.number > self._last)
            query = query.order_by(audit.c.number).execution_options(yield_per=CHUNK)
            with self._db.read() as conn, conn.execute(query) as rows:
                for row in rows:
                    log.info("audit", number=row.number, hash=row.hash)
                    self._last = row.number

    def keep(self) -> None:
        """Stores how far it has come, if that is further than before."""
        with self._lock:
            if self._last > self._kept:
                last = self._last
                shared.change(self._db, KEY, lambda _old, _now: str(last))
                self._kept = last
