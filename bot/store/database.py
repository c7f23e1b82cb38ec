"""The database: its transactions, its clock, the values that all copies share, and its faults in
words for an operator.

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
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import Connection, Engine, bindparam, select, text, update
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoFreeConnection

from bot.store.queues import Wakes
from bot.store.schema import TWICE, shared
from bot.store.sqlite import FileGone, NotInTime, Sqlite

if TYPE_CHECKING:
    from bot.store.postgres import Postgres

log = structlog.get_logger(__name__)


def wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


FAULT_EVERY_SECONDS = 60.0
"""Between two lines of the log about a fault that lasts: every thread meets it every second."""


SIGNER, RECORDED = "audit_signer", "audit_recorded"  # what a connection that writes has of these


class Database:
    """Transactions on one database, shared by all threads. `now` replaces its clock in tests.
    `on_error` gets the class name of each database error; it must not raise."""

    def __init__(
        self,
        url: str,
        now: Callable[[], int] | None = None,
        on_error: Callable[[str], None] = lambda _error: None,
    ) -> None:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            self.kind: Sqlite | Postgres = Sqlite(parsed, now or wall_clock_ms)
        else:
            # Imported here: it takes 10 MB, which SQLite does not need.
            from bot.store.postgres import Postgres

            self.kind = Postgres(parsed, now)
        self.engine: Engine = self.kind.engine
        self.now: Callable[[Connection], int] = self.kind.now
        """ms epoch by the database's clock."""
        self.clock: Callable[[], int] = self.kind.clock or self._asked
        """The same outside of a transaction. On SQLite it is our own clock: asking for it made up a
        tenth of all transactions of a request (measured)."""
        self.one_writer = self.kind.one_writer
        """Whether a transaction that writes keeps out all other writers, so that rows need no
        locks."""
        self.damaged: Fault | None = None
        """Met since the start. Only what needs the damaged page notices it, so that another
        transaction works says nothing: it stays until the file is checked by the next start."""
        self.named_unreadable: set[str] = set()
        """What the log has named already (`bot.store.set_aside`)."""
        self.wakes: Wakes = Wakes()
        self.signer: Any = None  # of the audit trail, where one is set (`audit_trail.Signer`)
        self.on_recorded: list[
            Callable[[list[Any]], None]
        ] = []  # a transaction's, after its commit
        self._on_error = on_error
        self._told = wall_clock_ms(), time.monotonic()
        self._saying = threading.Lock()
        self._said_at = float("-inf")

    def about_now(self) -> int:
        """The same, but it also works while the database is down: then it is calculated from its
        last answer and our own clock. For answers of the appliance, which must not be lost because
        the time is not known."""
        try:
            now = self.clock()
        except SQLAlchemyError:
            told, since = self._told
            return told + int((time.monotonic() - since) * 1000)
        self._told = now, time.monotonic()
        return now

    @contextmanager
    def write(self, within_s: float | None = None) -> Iterator[Connection]:
        """One transaction that may write, rolled back when anything is raised. `within_s`: how long
        it may wait for others, instead of the usual time."""
        with self._met(), self.kind.writing(within_s) as conn:
            recorded: list[Any] = []
            conn.info[SIGNER], conn.info[RECORDED] = self.signer, recorded
            yield conn
        for hear in self.on_recorded:
            hear(recorded)

    @contextmanager
    def read(self, *, at_leisure: bool = False) -> Iterator[Connection]:
        """One consistent view, which makes nobody wait. `at_leisure`: the reader may pause for a
        long time."""
        with self._met(), self.engine.connect() as raw:
            conn = self.kind.reading(raw)
            with conn.begin():
                if at_leisure:
                    self.kind.at_leisure(conn)
                yield conn

    def damage(self) -> str | None:
        """What is wrong with a SQLite file, found by checking what decides, or all of a small one;
        None if that is sound."""
        with self.read() as conn:
            return self.kind.damage(conn)

    def close(self) -> None:
        self.engine.dispose()

    def fault_of(self, error: BaseException) -> Fault | None:
        """The fault behind this error, which the log has already; None for an error of our own."""
        return fault_of(error, self.engine.url)

    def _asked(self) -> int:
        with self.read() as conn:
            return self.now(conn)

    @contextmanager
    def _met(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            fault = self.fault_of(error)
            # A second row that is refused is how a repeated event is recognised.
            if fault is not None or not isinstance(error, IntegrityError):
                self._on_error(type(error).__name__)
                self._say(fault)
            raise

    def _say(self, fault: Fault | None) -> None:
        if fault is None:
            return
        with self._saying:
            news = fault.damage and self.damaged is None
            if fault.damage:
                self.damaged = fault
            now = time.monotonic()
            if news or now - self._said_at >= FAULT_EVERY_SECONDS:
                self._said_at = now
                log.error("database_fault", sentence=fault.running())


# ---- what all copies share: one value for each key ----------------------------------------------

# Built once: they run before every call to an appliance, and building a statement takes longer than
# SQLite needs to run it.
_READ = select(shared).where(shared.c.key == bindparam("wanted"))
_LOCKED = _READ.with_for_update()
_INSERT = text(
    "INSERT INTO shared (key, value, at) VALUES (:key, :value, :at) ON CONFLICT DO NOTHING"
)
_UPDATE = update(shared).where(shared.c.key == bindparam("wanted"))


Change = Callable[[str | None, int], str]
"""Takes the present value, None if there is none, and the time in ms. Returns the new value, or
raises to change nothing."""


def change_shared(db: Database, key: str, how: Change) -> None:
    """Read, change and write one value while its row is locked."""
    with db.write() as conn:
        change_within(conn, db, key, how)


def change_within(conn: Connection, db: Database, key: str, how: Change) -> None:
    """The same as a part of a transaction."""
    row = conn.execute(_LOCKED, {"wanted": key}).one_or_none()
    now = db.now(conn)  # read after the lock, since the wait for it takes time
    value = how(row.value if row else None, now)
    if row is None:
        if conn.execute(_INSERT, {"key": key, "value": value, "at": now}).rowcount == 0:
            change_within(conn, db, key, how)  # another copy was quicker
    elif value != row.value:
        conn.execute(_UPDATE, {"wanted": key, "value": value, "at": now})


def read_shared(db: Database, key: str) -> tuple[str, int] | None:
    """The value and when it was written (ms)."""
    with db.read() as conn:
        row = conn.execute(_READ, {"wanted": key}).one_or_none()
        return (row.value, row.at) if row else None


# ---- faults: what is wrong, why, and what to do -------------------------------------------------

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


def fault_of(error: BaseException, place: URL) -> Fault | None:
    """The fault behind this error; None if it is not the database's but an error of our own."""
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
        found = _FORGED if twice(error) == "audit_pkey" else None
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


def twice(error: IntegrityError) -> str:
    """Which constraint or index refused a second row, by its name in PostgreSQL; empty where it was
    another rule."""
    columns = str(error.orig).partition("UNIQUE constraint failed: ")[2]
    named = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
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
