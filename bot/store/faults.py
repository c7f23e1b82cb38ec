"""Faults of the database: what is wrong, why, and what to do. Each is counted wherever it occurs,
and said in the log once, as its end is.

SQLite's result codes: https://www.sqlite.org/rescode.html. PostgreSQL's SQLSTATEs: its
documentation, appendix A.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from sqlalchemy import Engine, event
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoFreeConnection

log = structlog.get_logger(__name__)

NAMES_IT = "DATABASE_URL names it"
GOES_ON = "the bot goes on by itself then"


class FileGone(SQLAlchemyError):
    """The file that was opened is no longer the one at its path. SQLite itself would go on writing
    into a file that nobody can find, or create an empty one."""

    def __init__(self, replaced: bool) -> None:
        super().__init__("another file is in its place" if replaced else "the file is not there")
        self.replaced = replaced


class NotInTime(SQLAlchemyError):
    """Nothing could be written in the given time: other threads of this process had their turn
    first, and they wait for another process."""


@dataclass(frozen=True)
class Fault:
    """`what` is a sentence with the reason; `step` is what somebody must do. `lasts`: a transaction
    that works does not mean that it is over. `by_itself`: once it is over, the bot goes on without
    being started again."""

    what: str
    step: str
    lasts: bool = False
    by_itself: bool = True

    def running(self) -> str:
        return f"{self.what} {self.step}{': ' + GOES_ON if self.by_itself else ''}."

    def at_start(self) -> str:
        again = ", then start again" if self.by_itself else ""
        return f"{self.what} {self.step}{again}. {NAMES_IT}."


def fault_of(error: BaseException, place: URL) -> Fault | None:
    """The fault behind this error; None if it is not the database's but an error of our own."""
    shown = shown_place(place)
    if isinstance(error, FileGone):
        return _file_gone(shown, error.replaced)
    if isinstance(error, NotInTime):
        return _held(shown, "not in time")
    if isinstance(error, NoFreeConnection):
        return Fault(
            f"All connections of the bot to {shown} are in use, and none came free in time.",
            "See what holds them up there: a slow disk, a lock, an overloaded server",
        )
    cause = getattr(error, "orig", error)
    if isinstance(cause, sqlite3.Error):
        return _of_file(cause, shown)
    if place.get_backend_name() != "sqlite" and isinstance(error, SQLAlchemyError):
        return _of_server(error, shown)
    return None


def shown_place(place: URL) -> str:
    """The database in words, without user name and password."""
    if place.get_backend_name() == "sqlite":
        return str(place.database)
    return f"the database {place.database} at {place.host or 'this machine'}"


def _file_gone(shown: str, replaced: bool) -> Fault:
    if replaced:
        return Fault(
            f"Another file has been put in the place of the database {shown} under the bot.",
            "Start the bot again, if it is the file that you want it to work on",
            lasts=True,
            by_itself=False,
        )
    return Fault(
        f"The database {shown} has been deleted or moved away under the bot.",
        "Move it back; where it is lost, stop the bot and restore the backup",
    )


def log_gone(place: URL) -> Fault:
    """An orderly end of the process saves everything: SQLite then copies the log, which it still
    holds open, into the database."""
    return Fault(
        f"The file {shown_place(place)}-wal has been deleted, moved away or replaced under the "
        "bot, and the newest of the database is in it.",
        "Stop the bot without killing it, which writes that into the database, and start it again",
        by_itself=False,
    )


def _of_file(error: sqlite3.Error, shown: str) -> Fault | None:
    code = getattr(error, "sqlite_errorcode", None)
    words = " ".join(str(error).split())
    # The low byte is the primary code, the rest is the detail (sqlite.org, result codes).
    match None if code is None else code & 0xFF:
        case sqlite3.SQLITE_FULL:
            return Fault(f"The disk of {shown} is full.", "Free some space on it")
        case sqlite3.SQLITE_IOERR:
            return Fault(
                f"The disk of {shown} cannot be read or written ({words}).",
                "See whether it is full, over a quota, or failing",
            )
        case sqlite3.SQLITE_READONLY:
            return Fault(
                f"The database {shown} may only be read ({words}).",
                "Let the bot's user write the file and its folder",
            )
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return Fault(
                f"The database {shown} cannot be opened ({words}).",
                "Make its folder, and let the bot's user write there",
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return damaged(shown, words)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return _held(shown, words)
        case _:
            return None


def _held(shown: str, words: str) -> Fault:
    return Fault(
        f"The database {shown} is held by another process ({words}).",
        "End what holds it: a copy, a backup, a second bot on the same file",
    )


def damaged(shown: str, words: str) -> Fault:
    return Fault(
        f"The database {shown} is damaged, or is no database ({words}).",
        "Keep a copy of the file, and restore the backup while the bot is stopped",
        lasts=True,
        by_itself=False,
    )


def _of_server(error: SQLAlchemyError, shown: str) -> Fault | None:
    cause = getattr(error, "orig", None)
    if cause is None:
        return None
    state: str | None = getattr(cause, "sqlstate", None)
    words = " ".join(str(cause).split())[:200]
    if state in ("53100", "53200"):  # disk_full, out_of_memory
        return Fault(f"The server of {shown} is full ({words}).", "Free some space on it")
    if state == "25006":  # read_only_sql_transaction
        return Fault(f"{_upper(shown)} may only be read.", "Name the server that takes writes")
    if state is not None and state[:2] == "XX":  # internal error, data_corrupted
        return damaged(shown, words)
    if state in ("55P03", "57014"):  # lock_not_available, query_canceled
        return Fault(f"{_upper(shown)} is too slow ({words}).", "See what holds it up there")
    if state is None or state[:2] in ("08", "57", "25"):
        # No answer, a server that stops or starts, a transaction that was ended for idling. psycopg
        # gives no state for a refused connection: wrong password, no such database, too many
        # connections.
        return Fault(
            f"{_upper(shown)} gives no answer, or no connection ({words}).",
            "See whether it is up, and what it says of the bot's user",
        )
    return None


def _upper(shown: str) -> str:
    return shown[:1].upper() + shown[1:]


# ---- met while the bot runs ---------------------------------------------------------------------


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
