"""What is wrong with the database now: told once in the log, and once that it is over."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog
from sqlalchemy.engine import URL

from bot.store.faults import Fault, fault_of

log = structlog.get_logger(__name__)

QUIET_SECONDS = 5.0
"""How long there must have been no fault before a transaction that works means that it is over. A
full disk still takes a small one now and then, and each would put two lines into the log."""


class Outage:
    """Thread-safe. Every transaction tells how it went."""

    def __init__(self, place: URL, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._place = place
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._fault: Fault | None = None
        self._met_at = 0.0

    def met(self, error: BaseException) -> None:
        """Errors of ours are left to whoever has made them."""
        fault = fault_of(error, self._place)
        if fault is None:
            return
        with self._lock:
            # A fault that lasts is not replaced by one that passes.
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
            return  # without the lock: this is every transaction of a healthy day
        with self._lock:
            fault = self._fault
            if fault is None or fault.lasts or self._monotonic() - self._met_at < QUIET_SECONDS:
                return
            self._fault = None
        log.info("database_back")

    def mended(self) -> None:
        """The whole of it was looked at, and is sound."""
        with self._lock:
            over, self._fault = self._fault is not None, None
        if over:
            log.info("database_back")

    def told(self, error: BaseException) -> bool:
        """Whether the log has it as `database_fault`: whoever meets it need not say it again."""
        return fault_of(error, self._place) is not None

    def lasting(self) -> Fault | None:
        """A fault that is not over even if a transaction works."""
        fault = self._fault
        return fault if fault is not None and fault.lasts else None
