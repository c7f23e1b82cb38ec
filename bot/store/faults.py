"""What is wrong with the database, in words for an operator; and the one place where an error of
SQLAlchemy becomes a `StoreError`, which is all that the rest of the bot knows of it.

SQLite's result codes: https://www.sqlite.org/rescode.html. PostgreSQL's SQLSTATEs: its
documentation, appendix A.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.engine import URL
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoFreeConnection

from bot.store.schema import TWICE
from bot.store.sqlite import FileGone, NotInTime

NAMES_IT = "DATABASE_URL names it"
GOES_ON = "the bot goes on by itself then"


@dataclass(frozen=True)
class Fault:
    """`what` is a sentence with the reason; `step` is what somebody must do. `by_itself`: once it
    is over, the bot goes on without being started again. `damage`: that a transaction works does
    not mean that it is over."""

    what: str
    step: str
    by_itself: bool = True
    damage: bool = False

    def running(self) -> str:
        return f"{self.what} {self.step}{': ' + GOES_ON if self.by_itself else ''}."

    def at_start(self) -> str:
        again = ", then start again" if self.by_itself else ""
        return f"{self.what} {self.step}{again}. {NAMES_IT}."


class StoreError(Exception):
    """The database did not do it. `fault` says why; it is None for an error of our own. `error` is
    the name of what SQLAlchemy raised, and the text is the driver's reason."""

    def __init__(self, cause: SQLAlchemyError, place: URL) -> None:
        super().__init__(getattr(cause, "orig", None) or type(cause).__name__)
        self.error = type(cause).__name__
        self.fault = _fault_of(cause, place)


class Twice(StoreError):
    """What may be there only once is there already: that is how what is repeated is recognised.
    `rule` is the name of the constraint or the index in PostgreSQL."""

    def __init__(self, cause: IntegrityError, place: URL, rule: str) -> None:
        super().__init__(cause, place)
        self.rule = rule


@contextmanager
def as_store_errors(place: URL) -> Iterator[None]:
    """What SQLAlchemy raises within it is raised as a StoreError."""
    try:
        yield
    except SQLAlchemyError as error:
        rule = _rule_of(error)
        if isinstance(error, IntegrityError) and rule:
            raise Twice(error, place, rule) from error
        raise StoreError(error, place) from error


def fault_of(error: BaseException) -> Fault | None:
    """The fault behind this error, which the log has already; None for an error of our own."""
    return error.fault if isinstance(error, StoreError) else None


def _fault_of(error: SQLAlchemyError, place: URL) -> Fault | None:
    shown = shown_place(place)
    cause = getattr(error, "orig", None) or error
    words = " ".join(str(cause).split())[:200]
    if isinstance(error, FileGone):
        found: tuple[str, str] | None = _FILE_GONE
    elif isinstance(error, NotInTime):
        found, words = _HELD if place.get_backend_name() == "sqlite" else _SLOW, "not in time"
    elif isinstance(error, NoFreeConnection):
        found = _NO_CONNECTION
    elif isinstance(error, IntegrityError):
        found = _FORGED if _rule_of(error) == "audit_pkey" else None
    elif isinstance(cause, sqlite3.Error):
        # The low byte is the primary code, the rest is the detail (sqlite.org, result codes).
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return damaged(shown, words)
        found = _OF_FILE.get(code)
    elif place.get_backend_name() != "sqlite" and cause is not error:
        # psycopg gives no state for a refused connection: wrong password, no such database.
        state: str = getattr(cause, "sqlstate", None) or "08"
        if state[:2] == "XX":  # internal error, data_corrupted
            return damaged(shown, words)
        found = _OF_SERVER.get(state) or _OF_SERVER.get(state[:2])
    else:
        found = None
    if found is None:
        return None
    what, step = (text.format(shown=shown, words=words) for text in found)
    return Fault(what[:1].upper() + what[1:], step)


def _rule_of(error: SQLAlchemyError) -> str:
    """Which constraint or index refused a second row; empty where it was another rule."""
    cause = getattr(error, "orig", None)
    columns = str(cause).partition("UNIQUE constraint failed: ")[2]
    named = getattr(getattr(cause, "diag", None), "constraint_name", None)
    return TWICE.get(columns, "") or named or ""


def shown_place(place: URL) -> str:
    """The database in words, without user name and password."""
    if place.get_backend_name() == "sqlite":
        return str(place.database)
    return f"the database {place.database} at {place.host or 'this machine'}"


def damaged(shown: str, words: str) -> Fault:
    return Fault(
        f"The database {shown} is damaged, or is no database ({words}).",
        "Keep a copy of the file, and restore the backup while the bot is stopped",
        by_itself=False,
        damage=True,
    )


def log_gone(place: URL) -> Fault:
    """An orderly end of the process saves everything: SQLite then copies the log, which it still
    holds open, into the database."""
    return Fault(
        f"The file {shown_place(place)}-wal has been deleted or moved away under the bot, and the "
        "newest of the database is in it.",
        "Stop the bot without killing it, which writes that into the database, and start it again",
        by_itself=False,
    )


_FILE_GONE = (
    "The database {shown} has been deleted, moved away or replaced under the bot.",
    "Move it back, or restore the backup and start the bot where it is lost; where another file is "
    "right, start the bot again",
)
_FORGED = (
    "Somebody has put a record into the audit trail of {shown} behind its last one, so nothing can "
    "be recorded, and nothing is done.",
    "Keep a copy, see with `vr-unpair audit verify` which record it is, and take it out or restore "
    "the backup",
)
_NO_CONNECTION = (
    "All connections of the bot to {shown} are in use, and none came free in time.",
    "See what holds them up there: a slow disk, a lock, an overloaded server",
)
_HELD = (
    "The database {shown} is held by another process ({words}).",
    "End what holds it: a copy, a backup, a second bot on the same file",
)
_OF_FILE = {
    sqlite3.SQLITE_FULL: ("The disk of {shown} is full.", "Free some space on it"),
    sqlite3.SQLITE_IOERR: (
        "The disk of {shown} cannot be read or written ({words}).",
        "See whether it is full, over a quota, or failing",
    ),
    sqlite3.SQLITE_READONLY: (
        "The database {shown} may only be read ({words}).",
        "Let the bot's user write the file and its folder",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "The database {shown} cannot be opened ({words}).",
        "Make its folder, and let the bot's user write there",
    ),
    sqlite3.SQLITE_BUSY: _HELD,
    sqlite3.SQLITE_LOCKED: _HELD,
}
_SERVER_FULL = ("The server of {shown} is full ({words}).", "Free some space on it")
_SLOW = ("{shown} is too slow ({words}).", "See what holds it up there")
_AWAY = (
    "{shown} gives no answer, or no connection ({words}).",
    "See whether it is up, and what it says of the bot's user",
)
_OF_SERVER = {
    "53100": _SERVER_FULL,  # disk_full
    "53200": _SERVER_FULL,  # out_of_memory
    "25006": ("{shown} may only be read.", "Name the server that takes writes"),
    "55P03": _SLOW,  # lock_not_available
    "57014": _SLOW,  # query_canceled
    # No answer, a server that stops or starts, a transaction that was ended for idling.
    "08": _AWAY,
    "57": _AWAY,
    "25": _AWAY,
}
