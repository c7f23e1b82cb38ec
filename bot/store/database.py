"""The database: its transactions, its clock, and waking those who wait for changes."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from bot.store.faults import Fault, fault_of
from bot.store.sqlite import Sqlite

if TYPE_CHECKING:
    from bot.store.postgres import Postgres

log = structlog.get_logger(__name__)


def wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


NET_SECONDS = 2.0
"""How long the first thread of each queue sleeps at most. Another process (a copy on the same
PostgreSQL, the command line) cannot wake us, so what it stores is found this late. Mostly whoever
stores something works on it too: only what it holds or leaves behind waits for this."""

OTHERS_NET_SECONDS = 5.0
"""The same for the other threads, in case a slow server holds up the first one. It is longer, since
all of them ask the database the same question and an idle bot should cost next to nothing."""


def nets(threads: int) -> tuple[float, ...]:
    """How long each thread of one queue may sleep when nobody wakes it, in seconds."""
    return tuple(OTHERS_NET_SECONDS if number else NET_SECONDS for number in range(threads))


KEPT_MOST = 16
"""Wakes of one queue and site that are kept: there are never more threads in one."""


class Wakes:
    """Tells waiting threads of this process that something may be due in their queue. Should a wake
    be missed, they look by themselves after a while (`nets`).

    A wake is for one thread. All of them would ask the database the same question and keep the
    interpreter from the one that has work (measured: 8 threads that woke at each commit took longer
    than all calls of a story together). If nobody waits it is kept for whoever would wait next, so
    none is lost between a look for work and the wait after it.
    """

    def __init__(self) -> None:
        lock = threading.Lock()
        self._changed: defaultdict[str, threading.Condition] = defaultdict(
            lambda: threading.Condition(lock)
        )
        self._kept: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._ended: set[str] = set()
        self._lock = lock

    def wake(self, *queues: str, site: str = "") -> None:
        """`site`: for a thread that serves it, where threads of a queue serve some sites each."""
        with self._lock:
            for queue in queues:
                kept = self._kept[queue]
                kept[site] = min(kept[site] + 1, KEPT_MOST)
                self._changed[queue].notify_all()  # only the one that takes it asks the database

    def end(self, *queues: str) -> None:
        """From now on nobody waits in these queues. One last wake would not be enough: a thread
        that has just looked whether it may go on would sleep its full time."""
        with self._lock:
            for queue in queues:
                self._ended.add(queue)
                self._changed[queue].notify_all()

    def wait(self, queue: str, seconds: float, left: tuple[str, ...] = ()) -> bool:
        """Whether it was woken, for none of the sites in `left`."""
        with self._lock:
            kept = self._kept[queue]

            def mine() -> list[str]:
                return [site for site, wakes in kept.items() if wakes and site not in left]

            self._changed[queue].wait_for(lambda: mine() or queue in self._ended, timeout=seconds)
            for site in mine()[:1]:
                kept[site] -= 1
                return True
            return False


FAULT_EVERY_SECONDS = 60.0
"""Between two lines of the log about a fault that lasts: every thread meets it every second."""


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
            self._kind: Sqlite | Postgres = Sqlite(parsed, now or wall_clock_ms)
        else:
            # Imported here: it takes 10 MB, which SQLite does not need.
            from bot.store.postgres import Postgres

            self._kind = Postgres(parsed, now)
        self.engine: Engine = self._kind.engine
        self.now: Callable[[Connection], int] = self._kind.now
        """ms epoch by the database's clock."""
        self.clock: Callable[[], int] = self._kind.clock or self._asked
        """The same outside of a transaction. On SQLite it is our own clock: asking for it made up a
        tenth of all transactions of a request (measured)."""
        self.one_writer = self._kind.one_writer
        """Whether a transaction that writes keeps out all other writers, so that rows need no
        locks."""
        self.lock_schema = self._kind.lock_schema
        self.missing_file = self._kind.missing_file
        self.log_gone = self._kind.log_gone
        self.close = self._kind.close
        self.damaged: Fault | None = None
        """Met since the start. Only what needs the damaged page notices it, so that another
        transaction works says nothing: it stays until the file is checked by the next start."""
        self.wakes: Wakes = Wakes()
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
        it may wait for other writers of a SQLite file."""
        with self._met(), self._kind.writing(within_s), self.engine.begin() as conn:
            yield conn

    @contextmanager
    def read(self, *, at_leisure: bool = False) -> Iterator[Connection]:
        """One consistent view, which makes nobody wait. `at_leisure`: the reader may pause for a
        long time."""
        with self._met(), self.engine.connect() as raw:
            conn = self._kind.reading(raw)
            with conn.begin():
                if at_leisure:
                    self._kind.at_leisure(conn)
                yield conn

    def damage(self) -> str | None:
        """What is wrong with a SQLite file, found by checking what decides, or all of a small one;
        None if that is sound."""
        with self.read() as conn:
            return self._kind.damage(conn)

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
            # A second row that is refused is how a repeated event is recognised.
            if not isinstance(error, IntegrityError):
                self._on_error(type(error).__name__)
                self._say(self.fault_of(error))
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
