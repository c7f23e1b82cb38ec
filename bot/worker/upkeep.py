"""What is done beside the requests, in a thread of its own, so that it delays none of them: the
lines of the audit trail in the log, and now and then a look at what is over."""

from __future__ import annotations

import threading
import time

import structlog

from bot.store.audit_log_lines import AuditLines
from bot.store.database import Database
from bot.store.prune import prune
from bot.store.queues import AUDIT

log = structlog.get_logger(__name__)

EVERY_SECONDS = 60.0


class Upkeep:
    """Woken by each commit that has recorded something. Begins with what the last process left."""

    def __init__(self, db: Database, keep_ms: int) -> None:
        self._db = db
        self._keep_ms = keep_ms
        self._lines = AuditLines(db)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, seconds: float) -> bool:
        """Whether the thread ended in this time, with all lines written. May be called repeatedly,
        and without `start`."""
        self._stopping = True
        self._db.wakes.end(AUDIT)
        if self._thread.is_alive():
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        again = 0.0
        last = False
        while not last:
            last = self._stopping  # read before the work, so that a stop in between has its turn
            try:
                self._lines.write()
                if last or time.monotonic() >= again:
                    self._lines.keep()
                    if not last:
                        prune(self._db, self._keep_ms)
                    again = time.monotonic() + EVERY_SECONDS
            except Exception as error:
                # Tried again at the next commit or in a minute. That the database is away is told
                # by those whose work needs it.
                log.warning("upkeep_failed", error=type(error).__name__)
            if not last:
                self._db.wakes.wait(AUDIT, EVERY_SECONDS)
