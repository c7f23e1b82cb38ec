"""The databases of bots that are measured: a PostgreSQL, and what stands in any of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import NullPool, create_engine

from tests.postgres.server import PostgresServer
from tools.bench.processes import wait_until

_UNDONE = """
SELECT (SELECT count(*) FROM inbox WHERE absorbed_at IS NULL)
     + (SELECT count(*) FROM requests WHERE due_at IS NOT NULL)
     + (SELECT count(*) FROM messages WHERE due_at IS NOT NULL)
"""


@contextmanager
def postgres() -> Iterator[PostgresServer]:
    """With fsync on, which the tests' own has not: a commit that reaches no disk costs nothing."""
    server = PostgresServer(fsync=True)
    try:
        yield server.start()
    finally:
        server.stop()


class Stored:
    """What a bot has stored, read beside it on a connection for each look."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url, poolclass=NullPool)

    @classmethod
    def in_file(cls, folder: Path) -> Stored:
        """Of a bot that was started there without DATABASE_URL."""
        return cls(f"sqlite:///{folder / 'vr-unpair.db'}")

    def commands(self) -> int:
        return self._count("SELECT count(*) FROM inbox WHERE kind = 'asked'")

    def accepted(self) -> int:
        """Answers of the appliance that it has accepted a DELETE."""
        return self._count("SELECT count(*) FROM audit WHERE action = 'accepted'")

    def wait_until_done(self, seconds: float) -> None:
        """Until every event is absorbed, every request has ended and every word is said. Raises
        TimeoutError."""
        wait_until(lambda: self._count(_UNDONE) == 0, seconds)

    def _count(self, query: str) -> int:
        with self._engine.connect() as connection:
            return int(connection.exec_driver_sql(query).scalar_one())
