"""The present fault of the database. The log says once what it is, and once that it is over."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog
from sqlalchemy.engine import URL

from bot.store.faults import Fault, fault_of

log = structlog.get_logger(__name__)

QUIET_SECONDS = 5.0
"""A transaction that works ends an outage only if there was no error for this long. A full disk
still takes a small transaction now and then, and each would put two more lines into the log."""


class Outage:
    """Thread-safe. Every transaction reports here whether it worked."""

    def __init__(self, place: URL, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._place = place
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._fault: Fault | None = None
        self._met_at = 0.0

    def met(self, error: BaseException) -> None:
        """A transaction raised this error. Errors that are not the database's fault are ignored."""
        fault = fault_of(error, self._place)
        if fault is None:
            return
        with self._lock:
            # A passing fault must not replace a lasting one.
            lasting = self._fault is not None and self._fault.lasts and not fault.lasts
            news = not lasting and (self._fault is None or self._fault.what != fault.what)
            if not lasting:
                self._fault = fault
            self._met_at = self._monotonic()
        if news:
            log.error("database_fault", sentence=fault.running())

    def worked(self) -> None:
        """A transaction that wrote was committed."""
        if self._fault is None:
            return  # without the lock, since every transaction of a healthy database comes here
        with self._lock:
            fault = self._fault
            if fault is None or fault.lasts or self._monotonic() - self._met_at < QUIET_SECONDS:
                return
            self._fault = None
        log.info("database_back")

    def mended(self) -> None:
        """The whole database was checked and is sound."""
        with self._lock:
            over, self._fault = self._fault is not None, None
        if over:
            log.info("database_back")

    def told(self, error: BaseException) -> bool:
        """Whether the log has this error as `database_fault`, so nobody has to log it again."""
        return fault_of(error, self._place) is not None

    def lasting(self) -> Fault | None:
        """The present fault, if it is one that is not over when a transaction works."""
        fault = self._fault
        return fault if fault is not None and fault.lasts else None
