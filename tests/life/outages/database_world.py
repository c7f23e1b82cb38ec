"""The worker's small world on a real SQLite file, and ways to break that file."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, event

from tests.support.world import World

SMALLEST = 4096
"""Bytes that any file may have while the disk is full: less than the database's log."""


class DatabaseWorld(World):
    def __init__(self, file: Path) -> None:
        self.file = file
        self._first: str | None = None
        super().__init__(f"sqlite:///{file}")
        # For good: listeners may not come and go while threads are at work.
        event.listen(self.db.engine, "begin", self._run_first)

    @contextmanager
    def statement_first(self, statement: str) -> Iterator[None]:
        """Run at the beginning of each transaction."""
        self._first = statement
        try:
            yield
        finally:
            self._first = None

    def _run_first(self, conn: Connection) -> None:
        statement = self._first
        if statement is not None:
            conn.exec_driver_sql(statement)

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """As SQLite answers for a file that may only be read; root may write any."""
        with self.statement_first("PRAGMA query_only=ON"):
            yield
        self.db.close()  # whoever comes next has a new connection

    @contextmanager
    def no_page_more(self) -> Iterator[None]:
        """SQLite's own limit, met as a full disk: whatever needs another page is refused."""
        with self.statement_first("PRAGMA max_page_count=1"):
            yield
        self.db.close()  # whoever comes next has a new connection

    def at_rest(self) -> None:
        """Everything in the file itself, nothing in its log or in a connection's memory."""
        with self.db.engine.connect() as conn:
            conn.exec_driver_sql("COMMIT")  # our hook has begun one
            conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            conn.exec_driver_sql("BEGIN")
        self.db.close()  # whoever comes next has a new connection


@contextmanager
def no_byte_more() -> Iterator[None]:
    """For this process: every write to a file beyond the smallest fails, as root too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALLEST, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
