"""The database: its transactions, its clock, and waking those who wait for changes."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from bot.store.faults import Errors, Outage
from bot.store.sqlite import Sqlite

if TYPE_CHECKING:
    from bot.store.postgres import Postgres


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
"""Wakes of one queue that are kept: there are never more threads in one."""


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
        self._kept: Counter[str] = Counter()
        self._ended: set[str] = set()
        self._lock = lock

    def wake(self, *queues: str) -> None:
        with self._lock:
            for queue in queues:
                self._kept[queue] = min(self._kept[queue] + 1, KEPT_MOST)
                self._changed[queue].notify()

    def end(self, *queues: str) -> None:
        """From now on nobody waits in these queues. One last wake would not be enough: a thread
        that has just looked whether it may go on would sleep its full time."""
        with self._lock:
            for queue in queues:
                self._ended.add(queue)
                self._changed[queue].notify_all()

    def wait(self, queue: str, seconds: float) -> bool:
        """Whether it was woken."""
        with self._lock:
            self._changed[queue].wait_for(
                lambda: self._kept[queue] or queue in self._ended, timeout=seconds
            )
            woken = self._kept[queue] > 0
            self._kept[queue] -= woken
            return woken


class Database:
    """Transactions on one database, shared by all threads. `now` replaces its clock in tests.
    `on_error` gets the class name of each database error."""

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
        self.clock: Callable[[], int] = self._kind.clock
        """ms epoch by the database's clock, outside of a transaction."""
        self._errors = Errors(self.engine, on_error)
        self.outage = Outage(parsed)
        self.wakes: Wakes = Wakes()
        self._told = wall_clock_ms(), time.monotonic()

    @property
    def one_writer(self) -> bool:
        """Whether a transaction that writes keeps out all other writers, so that rows need no
        locks."""
        return self._kind.one_writer

    def missing_file(self) -> str | None:
        """The path of a SQLite file that is not there."""
        return self._kind.missing_file()

    def now(self, conn: Connection) -> int:
        """ms epoch by the database's clock."""
        return self._kind.now(conn)

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

    def lock_schema(self, conn: Connection) -> None:
        """Nobody else may change the schema until the transaction ends."""
        self._kind.lock_schema(conn)

    @contextmanager
    def write(self, within_s: float | None = None) -> Iterator[Connection]:
        """One transaction that may write, rolled back when anything is raised. `within_s`: how long
        it may wait for other writers of a SQLite file."""
        with self._met(), self._kind.writing(within_s), self.engine.begin() as conn:
            before = self._kind.changes(conn)
            yield conn
            after = self._kind.changes(conn)
        if after is None or after != before:
            self.outage.worked()

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

    def damage(self, *, whole: bool = True) -> str | None:
        """What is wrong with the database, found by checking all of it; None if it is sound. Takes
        seconds for a large file, of which only what decides is checked where not `whole`."""
        with self.read() as conn:
            return self._kind.damage(conn, whole=whole)

    def log_gone(self) -> bool:
        """Whether the `-wal` of a SQLite file was deleted, moved or replaced."""
        return self._kind.log_gone()

    def close(self) -> None:
        self._kind.close()

    @contextmanager
    def _met(self) -> Iterator[None]:
        try:
            with self._errors.told():
                yield
        except SQLAlchemyError as error:
            self.outage.met(error)
            raise
