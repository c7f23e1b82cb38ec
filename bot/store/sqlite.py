"""SQLite: a file on our own machine, for one copy of the bot."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.pool import StaticPool

from bot.store.faults import FileGone, LogGone, NotInTime
from bot.store.wakes import Wakes

BUSY_SECONDS = 10.0
"""How long a transaction waits for its turn and for another process (the command line) that is
writing, unless it has less time."""

CONNECTIONS = 16
POOL_SECONDS = 10
"""How long to wait for a free connection: then an error, and not a thread that stands for ever."""

WRITE_OUT_SECONDS = 1.0
"""How long the log is waited for before a close that writes out what it holds."""

_Inode = tuple[int, int]
"""Device and number."""


class Sqlite:
    """WAL, `synchronous=FULL`, and one write lock per process before `BEGIN IMMEDIATE`: SQLite's
    own waiting for its lock polls, which was measured as a tail of 14 times the median."""

    one_writer = True

    def __init__(self, url: URL, now: Callable[[], int]) -> None:
        self._now = now
        self._writing = threading.Lock()
        self._by = 0.0
        self.wakes = Wakes()
        self._in_memory = url.database in (None, "", ":memory:")
        self._path = url.database
        self._opened: _Inode | None = None
        # Beside what a link leads to: that is where SQLite makes it.
        self._log_path = f"{os.path.realpath(url.database)}-wal" if url.database else None
        self._log: _Inode | None = None
        self._connections: set[int] = set()
        self._keeping = threading.Lock()
        self._keeper: sqlite3.Connection | None = None
        pool: dict[str, Any] = {"pool_size": CONNECTIONS, "pool_timeout": POOL_SECONDS}
        if self._in_memory:
            pool = {"poolclass": StaticPool}
        self.engine = create_engine(
            url,
            hide_parameters=True,  # an error would quote them, response_urls included
            connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
            **pool,
        )
        event.listen(self.engine, "do_connect", self._before_connect)
        event.listen(self.engine, "connect", self._connected)
        event.listen(self.engine, "close", self._closed)
        event.listen(self.engine, "begin", self._begin)

    @contextmanager
    def writing(self, within_s: float | None) -> Iterator[None]:
        """Raises NotInTime. The time is one for both waits: with one for each, the n-th of those
        who wait while another process holds the file would wait n times as long."""
        seconds = BUSY_SECONDS if within_s is None else within_s
        by = time.monotonic() + seconds
        if not self._writing.acquire(timeout=seconds):
            raise NotInTime(f"no turn to write within {seconds:g} s")
        try:
            self._by = by  # read in `_begin`, by the one who holds the lock
            yield
        finally:
            self._writing.release()

    def reading(self, raw: Connection) -> Connection:
        return raw.execution_options(reading=True)

    def now(self, conn: Connection) -> int:
        return self._now()

    def clock(self) -> int:
        """SQLite is not asked: a transaction for the time of day was measured as a tenth of all
        transactions of a story."""
        return self._now()

    def at_leisure(self, conn: Connection) -> None:
        """Nobody else waits for a reader."""

    def lock_schema(self, conn: Connection) -> None:
        """`BEGIN IMMEDIATE` has it already."""

    def missing_file(self) -> str | None:
        if self._in_memory or self._path is None or Path(self._path).exists():
            return None
        return self._path

    @property
    def log_gone(self) -> bool:
        log = self._log  # once: a close in another thread forgets it
        return log is not None and self._at(self._log_path) != log

    def changes(self, conn: Connection) -> int | None:
        """Rows changed on this connection so far: to commit nothing works on a full disk too."""
        driver: Any = conn.connection.driver_connection
        return int(driver.total_changes)

    def damage(self, conn: Connection) -> str | None:
        found = conn.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        return None if found == "ok" else " ".join(str(found).split())

    def close(self) -> None:
        self.engine.dispose()
        if self.log_gone:
            self._write_out("FULL")
            if self._connections:
                return  # in use, with the old log: the file must not get another one beside it
        with self._keeping:
            # Forgotten first: SQLite removes the log with its last connection, and a thread that
            # looks in between would take that for somebody's doing.
            keeper, self._keeper, self._log = self._keeper, None, None
            if keeper is not None:
                keeper.close()

    def _before_connect(self, *_: object) -> None:
        self._require_the_file()

    def _connected(self, connection: Any, record: Any) -> None:
        _prepare(connection, record)
        self._connections.add(id(connection))
        if self._opened is None:
            self._opened = self._at(self._path)
        if not self._in_memory:
            self._keep()

    def _closed(self, connection: Any, _record: Any) -> None:
        self._connections.discard(id(connection))

    def _keep(self) -> None:
        """One connection that nobody else has holds the log open, whatever becomes of its name."""
        with self._keeping:
            if self._keeper is None and self._path is not None and not self.log_gone:
                keeper = sqlite3.connect(
                    self._path, timeout=WRITE_OUT_SECONDS, check_same_thread=False
                )
                keeper.execute("PRAGMA synchronous=FULL")
                keeper.execute("SELECT count(*) FROM sqlite_master").fetchall()  # opens the log
                self._keeper, self._log = keeper, self._at(self._log_path)

    def _write_out(self, how: str) -> None:
        """Into the file what is committed and only the log holds: nobody else can open that one any
        more, and a process that is killed takes it along, the intent of a DELETE with it. `how` is
        a mode of https://www.sqlite.org/pragma.html#pragma_wal_checkpoint."""
        with self._keeping, suppress(sqlite3.Error):  # LogGone is said whatever this comes to
            if self._keeper is not None:
                self._keeper.execute(f"PRAGMA wal_checkpoint({how})").fetchall()

    def _begin(self, conn: Connection) -> None:
        self._require_the_file()
        if conn.get_execution_options().get("reading", False):
            conn.exec_driver_sql("BEGIN")
            return
        left_ms = max(0, int((self._by - time.monotonic()) * 1000))
        driver: Any = conn.connection.driver_connection
        # Holds for this connection until it is set anew (SQLite docs, pragma busy_timeout). Asked
        # of the driver itself: this is every transaction.
        driver.execute(f"PRAGMA busy_timeout={left_ms}")
        conn.exec_driver_sql("BEGIN IMMEDIATE")

    def _require_the_file(self) -> None:
        """What is committed into a file that has no name any more is lost at the next start: a
        DELETE whose intent was there would look as if it had never been sent."""
        if self._opened is None:
            return
        there = self._at(self._path)
        if there != self._opened:
            raise FileGone(replaced=there is not None)
        if self.log_gone:
            self._write_out("PASSIVE")
            raise LogGone(replaced=self._at(self._log_path) is not None)

    def _at(self, path: str | None) -> _Inode | None:
        if self._in_memory or path is None:
            return None
        try:
            found = os.stat(path)
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino


def _prepare(connection: Any, _record: Any) -> None:
    # Transactions are ours alone: the driver would begin them late, as readers, and then fail to
    # upgrade under load.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
