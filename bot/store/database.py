"""The database: its transactions, its clock, and whoever waits for a change in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import make_url

from bot.store.sqlite import Sqlite
from bot.store.wakes import Room, Wakes

if TYPE_CHECKING:
    from bot.store.postgres import Postgres

__all__ = ["Database", "Room", "wall_clock_ms"]


def wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


class Database:
    """Transactions on one database. Threads share it. `now` replaces its clock, for tests."""

    def __init__(self, url: str, now: Callable[[], int] | None = None) -> None:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            self._kind: Sqlite | Postgres = Sqlite(parsed, now or wall_clock_ms)
        else:
            # Imported here: 10 MB that nobody with a file has to pay.
            from bot.store.postgres import Postgres

            self._kind = Postgres(parsed, now)
        self.engine: Engine = self._kind.engine
        self.wakes: Wakes = self._kind.wakes

    def missing_file(self) -> str | None:
        """The path of a SQLite file that is not there."""
        return self._kind.missing_file()

    def now(self, conn: Connection) -> int:
        """ms epoch by the database's clock."""
        return self._kind.now(conn)

    def clock(self) -> int:
        """The same outside of a transaction."""
        return self._kind.clock()

    def lock_schema(self, conn: Connection) -> None:
        """Until the transaction ends, nobody else changes the schema."""
        self._kind.lock_schema(conn)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that may write; rolled back when anything is raised."""
        with self._kind.writing(), self.engine.begin() as conn:
            yield conn

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view; holds nobody up."""
        with self.engine.connect() as raw:
            conn = self._kind.reading(raw)
            with conn.begin():
                yield conn

    def listen(self) -> None:
        """Hear of what other copies change; polling is the net."""
        self.wakes.listen()

    def close(self) -> None:
        self._kind.close()
