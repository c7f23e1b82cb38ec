"""The present fault of the database: counted wherever it occurs, and said in the log once, as its
end is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy import Engine, event
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.exc import IntegrityError
from sqlalchemy.exc import TimeoutError as NoFreeConnection

from bot.store.faults import Fault, FileGone, NotInTime, fault_of


class Errors:
    """`on_error` gets the name of the error's class; it must not raise.

    Two errors are not counted: a second row that is refused (`IntegrityError`), which is how a
    repeated event is recognised, and a connection that is found dead before its use, which is
    replaced by a new one.
    """

    def __init__(self, engine: Engine, on_error: Callable[[str], None]) -> None:
        self._on_error = on_error
        event.listen(engine, "handle_error", self._handled)

    @contextmanager
    def told(self) -> Iterator[None]:
        """To be put around a transaction. The engine does not report these errors, since they are
        not raised by a connection: no free connection in the pool, a file that we found gone, no
        turn to write in time."""
        try:
            yield
        except (NoFreeConnection, FileGone, NotInTime) as error:
            self._on_error(type(error).__name__)
            raise

    def _handled(self, context: ExceptionContext) -> None:
        error = context.sqlalchemy_exception or context.original_exception
        if not isinstance(error, IntegrityError) and not context.is_pre_ping:
            self._on_error(type(error).__name__)


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
