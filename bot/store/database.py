"""The database: its transactions, its clock, and waking those who wait for changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from bot.store.outage import Errors, Outage
from bot.store.sqlite import Sqlite
from bot.store.wakes import Wakes

if TYPE_CHECKING:
    from bot.store.postgres import Postgres

__all__ = ["Database", "wall_clock_ms"]


def wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


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
        self._errors = Errors(self.engine, on_error)
        self.outage = Outage(parsed)
        self.wakes: Wakes = self._kind.wakes
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

    def clock(self) -> int:
        """The same, outside of a transaction."""
        return self._kind.clock()

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

    def damage(self) -> str | None:
        """What is wrong with the database, found by checking all of it; None if it is sound. Takes
        seconds for a large file."""
        with self.read() as conn:
            return self._kind.damage(conn)

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
