"""SQLite: a file on our own machine, for one copy of the bot."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, create_engine, event, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

BUSY_SECONDS = 10.0
"""How long a transaction waits, unless it is given less time: for its turn in this process, and for
another process that writes, such as the command line."""

CONNECTIONS = 16
POOL_SECONDS = 10
"""How long to wait for a free connection. After that it is an error; a thread must not wait for
ever."""

WHOLE_UP_TO = 16 * 2**20
"""Bytes of a file that is checked completely at a start. Of a larger one, which is mostly audit
trail, what requests are decided by is checked, so that a start does not become slower with the
years; `audit verify` reads the trail."""

CHECKED_AT_START = ("inbox", "messages", "shared", "audit_head")
"""These do not grow with the years (`bot.store.prune`)."""


class FileGone(SQLAlchemyError):
    """The file that was opened is no longer the one at its path. SQLite itself would go on writing
    into it, although it has no name any more, and would make a new, empty one for the next
    connection."""


class NotInTime(SQLAlchemyError):
    """No turn to write within the time that there was, or no end: others had theirs first, and they
    wait for another process or a slow server."""


class Sqlite:
    """WAL, `synchronous=FULL`, and a write lock in this process before `BEGIN IMMEDIATE`. SQLite
    itself waits for its lock by polling, which gave a tail of 14 times the median (measured)."""

    one_writer = True

    def __init__(self, url: URL, now: Callable[[], int]) -> None:
        self.clock: Callable[[], int] | None = now
        self.now: Callable[[Connection], int] = lambda _conn: now()
        self._writing = threading.Lock()
        self._by = 0.0
        self._path = url.database  # None: in memory, which only tests have
        self._opened: tuple[int, int] | None = None
        pool: dict[str, Any] = {"pool_size": CONNECTIONS, "pool_timeout": POOL_SECONDS}
        if self._path is None:
            pool = {"poolclass": StaticPool}
        self.engine = create_engine(
            url,
            hide_parameters=True,  # errors would quote them, response_urls included
            connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
            **pool,
        )
        event.listen(self.engine, "do_connect", self._before_connect)
        event.listen(self.engine, "connect", self._connected)
        event.listen(self.engine, "begin", self._begin)

    @contextmanager
    def writing(self, within_s: float | None) -> Iterator[Connection]:
        """A transaction that writes. Raises NotInTime. The turn and the lock of the file are
        waited for within the same time. Otherwise, while another process holds the file, the n-th
        thread in the queue would wait n times as long."""
        seconds = BUSY_SECONDS if within_s is None else within_s
        by = time.monotonic() + seconds
        if not self._writing.acquire(timeout=seconds):
            raise NotInTime(f"no turn to write within {seconds:g} s")
        try:
            self._by = by  # read in `_begin`, by the thread that holds the lock
            with self.engine.begin() as conn:
                yield conn
        finally:
            self._writing.release()

    def reading(self, raw: Connection) -> Connection:
        return raw.execution_options(reading=True)

    def at_leisure(self, conn: Connection) -> None:
        """Nothing to do: nobody waits for a reader."""

    def lock_schema(self, conn: Connection) -> None:
        """Nothing to do: `BEGIN IMMEDIATE` has locked everything."""

    def missing_file(self) -> str | None:
        return self._path if self._path and not Path(self._path).exists() else None

    def log_gone(self) -> bool:
        """Whether there is no `-wal`, though a connection is open that has written. If the path is
        a link, it stands beside the file that this leads to."""
        return self._path is not None and not Path(f"{os.path.realpath(self._path)}-wal").exists()

    def damage(self, conn: Connection) -> str | None:
        pages, size = (
            conn.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("page_count", "page_size")
        )
        asked = [f"PRAGMA quick_check({table})" for table in CHECKED_AT_START]
        if pages * size <= WHOLE_UP_TO or not inspect(conn).has_table("inbox"):
            asked = ["PRAGMA quick_check(1)"]
        for pragma in asked:
            found = conn.exec_driver_sql(pragma).scalars().first()
            if found != "ok":
                return " ".join(str(found).split())
        return None

    def _before_connect(self, *_: object) -> None:
        self._require_the_file()
        if self._opened is None and self._path is not None:
            _for_us_alone(os.path.realpath(self._path))

    def _connected(self, connection: Any, _record: object) -> None:
        # We begin transactions ourselves: the driver would begin them later and as readers, and
        # under load they could then not become writers.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        if self._opened is None:
            self._opened = self._there()

    def _begin(self, conn: Connection) -> None:
        self._require_the_file()
        if conn.get_execution_options().get("reading", False):
            conn.exec_driver_sql("BEGIN")
            return
        left_ms = max(0, int((self._by - time.monotonic()) * 1000))
        driver: Any = conn.connection.driver_connection
        # Set for each transaction, since it stays set for the connection (SQLite docs, pragma
        # busy_timeout); through the driver itself, since that is faster.
        driver.execute(f"PRAGMA busy_timeout={left_ms}")
        conn.exec_driver_sql("BEGIN IMMEDIATE")

    def _require_the_file(self) -> None:
        """Raises FileGone. What is committed into a file without a name is lost at the next start,
        and a DELETE whose intent was in it would look as if it had never been sent."""
        if self._opened is not None and self._there() != self._opened:
            raise FileGone

    def _there(self) -> tuple[int, int] | None:
        """The device and the inode's number of the file at the path."""
        if self._path is None:
            return None
        try:
            found = os.stat(self._path)
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino


def _for_us_alone(path: str) -> None:
    """0600 whatever the umask: reasons, names and addresses are in these files. SQLite gives those
    it makes the mode of the database. What cannot be done here SQLite says in its own words."""
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        os.chmod(path, 0o600)  # the umask may have taken even that
    for name in (path, f"{path}-wal", f"{path}-shm"):
        with suppress(OSError):
            mode = stat.S_IMODE(os.stat(name).st_mode)
            if mode & 0o077:
                os.chmod(name, mode & 0o700)


def file_of(url: str) -> Path | None:
    """The file that this DATABASE_URL names; None where it names a server."""
    place = make_url(url)
    return Path(place.database or "") if place.get_backend_name() == "sqlite" else None


def copy_file(source: Path, target: Path) -> None:
    """A copy of a database that may be in use. `target` is there when it is complete, or not at
    all. Raises OSError or sqlite3.Error."""
    part = target.with_name(f".{target.name}.{uuid.uuid4()}")
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        # One step, so from one moment, with what is still in the `-wal` file; `rw` makes no file.
        address = f"{source.absolute().as_uri()}?mode=rw"
        reading, writing = sqlite3.connect(address, uri=True), sqlite3.connect(part)
        with closing(reading), closing(writing):
            reading.backup(writing)
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
