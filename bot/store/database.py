"""The database: its transactions, its clock, and the values that all copies share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import Connection, Engine, bindparam, select, text, update
from sqlalchemy.engine import make_url

from bot.store.faults import Fault, StoreError, Twice, as_store_errors
from bot.store.queues import Wakes
from bot.store.schema import shared
from bot.store.sqlite import Sqlite

if TYPE_CHECKING:
    from bot.store.postgres import Postgres

log = structlog.get_logger(__name__)


def wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


FAULT_EVERY_SECONDS = 60.0
"""Between two lines of the log about a fault that lasts: every thread meets it every second."""


SIGNER, RECORDED = "audit_signer", "audit_recorded"  # what a connection that writes has of these


class Database:
    """Transactions on one database, shared by all threads. They raise StoreError. `now` replaces
    its clock in tests. `on_error` gets the name of each database error; it must not raise."""

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
        except StoreError:
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

    def _asked(self) -> int:
        with self.read() as conn:
            return self.now(conn)

    @contextmanager
    def _met(self) -> Iterator[None]:
        try:
            with as_store_errors(self.engine.url):
                yield
        except StoreError as error:
            if error.fault is not None or not isinstance(error, Twice):
                self._on_error(error.error)
                self._say(error.fault)
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
