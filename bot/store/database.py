"""The connection to the database, its transactions and its clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.pool import StaticPool

BUSY_SECONDS = 10
"""How long SQLite waits for another process (the command line) that is writing."""


def wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


class Database:
    """Transactions on one database. Threads share it.

    SQLite: WAL, `synchronous=FULL`, and one write lock per process before `BEGIN IMMEDIATE`:
    SQLite's own waiting for its lock polls, which was measured as a tail of 14 times the median.
    """

    def __init__(self, url: str, now: Callable[[], int] = wall_clock_ms) -> None:
        self._now = now
        self._writing = threading.Lock()
        self.wakes = Wakes()
        parsed = make_url(url)
        memory = parsed.database in (None, "", ":memory:")
        options: dict[str, Any] = {"poolclass": StaticPool} if memory else {"pool_size": 16}
        self.engine: Engine = create_engine(
            parsed,
            hide_parameters=True,  # an error would quote them, response_urls included
            connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
            **options,
        )
        event.listen(self.engine, "connect", _prepare_sqlite)
        event.listen(self.engine, "begin", _begin_sqlite)

    def missing_file(self) -> str | None:
        """The path of a SQLite file that is not there."""
        path = self.engine.url.database
        in_memory = path in (None, "", ":memory:")
        return None if in_memory or path is None or Path(path).exists() else path

    def now(self, conn: Connection) -> int:
        """ms epoch by the database's clock; SQLite lives on our machine, so it is ours."""
        return self._now()

    def clock(self) -> int:
        """The same outside of a transaction. SQLite is not asked: a transaction for the time of
        day was measured as a tenth of all transactions of a story."""
        return self._now()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that may write; rolled back when anything is raised."""
        with self._writing, self.engine.begin() as conn:
            yield conn

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view; holds nobody up."""
        with self.engine.connect() as raw:
            conn = raw.execution_options(reading=True)
            with conn.begin():
                yield conn

    def close(self) -> None:
        self.engine.dispose()


class Room(StrEnum):
    """Who waits for what: threads that act, threads that check, threads that post."""

    ACT = "act"
    CHECK = "check"
    POST = "post"


class Wakes:
    """Tells waiting threads of this process that something may be due. Polling is the net.

    One thread per room and wake: all of them at once would ask the database the same question and
    keep the interpreter from the one that has something to do (measured: 8 threads that woke at
    each commit took longer than all calls of a story together). A thread that is busy sees the
    wake before it would wait, so none is lost.
    """

    def __init__(self) -> None:
        lock = threading.Lock()
        self._changed = {room: threading.Condition(lock) for room in Room}
        self._count = dict.fromkeys(Room, 0)

    def seen(self, room: Room) -> int:
        """Take before looking for work, give to `wait`: nothing between the two is missed."""
        with self._changed[room]:
            return self._count[room]

    def wake(self, *rooms: Room) -> None:
        for room in rooms:
            with self._changed[room]:
                self._count[room] += 1
                self._changed[room].notify()

    def wake_all(self) -> None:
        """Everybody, for the end."""
        for room, changed in self._changed.items():
            with changed:
                self._count[room] += 1
                changed.notify_all()

    def wait(self, room: Room, seen: int, seconds: float) -> None:
        with self._changed[room]:
            self._changed[room].wait_for(lambda: self._count[room] != seen, timeout=seconds)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # Transactions are ours alone: the driver would begin them late, as readers, and then fail to
    # upgrade under load.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(conn: Connection) -> None:
    reading = conn.get_execution_options().get("reading", False)
    conn.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
