"""SQLite: a file on our own machine, for one copy of the bot."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.pool import StaticPool

from bot.store.wakes import Wakes

BUSY_SECONDS = 10
"""How long SQLite waits for another process (the command line) that is writing."""


class Sqlite:
    """WAL, `synchronous=FULL`, and one write lock per process before `BEGIN IMMEDIATE`: SQLite's
    own waiting for its lock polls, which was measured as a tail of 14 times the median."""

    def __init__(self, url: URL, now: Callable[[], int]) -> None:
        self._now = now
        self._writing = threading.Lock()
        self.wakes = Wakes()
        self._in_memory = url.database in (None, "", ":memory:")
        self._path = url.database
        pool: dict[str, Any] = {"poolclass": StaticPool} if self._in_memory else {"pool_size": 16}
        self.engine = create_engine(
            url,
            hide_parameters=True,  # an error would quote them, response_urls included
            connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
            **pool,
        )
        event.listen(self.engine, "connect", _prepare)
        event.listen(self.engine, "begin", _begin)

    def writing(self) -> AbstractContextManager[object]:
        return self._writing

    def reading(self, raw: Connection) -> Connection:
        return raw.execution_options(reading=True)

    def now(self, conn: Connection) -> int:
        return self._now()

    def clock(self) -> int:
        """SQLite is not asked: a transaction for the time of day was measured as a tenth of all
        transactions of a story."""
        return self._now()

    def lock_schema(self, conn: Connection) -> None:
        """`BEGIN IMMEDIATE` has it already."""

    def missing_file(self) -> str | None:
        if self._in_memory or self._path is None or Path(self._path).exists():
            return None
        return self._path

    def close(self) -> None:
        self.engine.dispose()


def _prepare(connection: Any, _record: Any) -> None:
    # Transactions are ours alone: the driver would begin them late, as readers, and then fail to
    # upgrade under load.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(conn: Connection) -> None:
    reading = conn.get_execution_options().get("reading", False)
    conn.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
