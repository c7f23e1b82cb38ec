"""PostgreSQL, for several copies of the bot: its connections have time limits, so that neither we
nor the server wait for ever. Imported only when DATABASE_URL names it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import URL, Connection, create_engine, event, text

from bot.store.sqlite import NotInTime

T = TypeVar("T")

CONNECT_SECONDS = 5
"""libpq takes whole seconds, and applies them to each address."""

STATEMENT_MS = 8_000
"""The server cancels a statement after this time. Ours take milliseconds; one that takes longer
waits for a lock, whose holder is ended after `IDLE_MS` if it does nothing."""

IDLE_MS = 4_000
"""The server ends a transaction that does nothing for this long (PostgreSQL docs,
idle_in_transaction_session_timeout). Otherwise a copy that is frozen, or whose machine is gone,
would keep the head of the audit trail locked and block every other copy for hours."""

PATIENCE_SECONDS = 10.0
"""We give up a connection that is silent for this long. It is more than `STATEMENT_MS`, so that the
server's own error comes first. TCP alone does not notice a proxy or a firewall that drops
everything, and libpq has no time limit for reading an answer."""

KEPT_ALIVE = {
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
"""For connections that only listen or wait in the pool: that the other machine is gone is noticed
within eleven seconds (libpq docs, keepalives). The system's own default is two hours."""


DURABLE = "-c synchronous_commit=on"
"""Not left to the server's default: a commit that is lost in a crash may be the intent of a DELETE
that was sent. With a synchronous standby a commit also waits for that one (PostgreSQL docs)."""


class PatientConnection(psycopg.Connection[Any]):
    """Waits `patience` seconds for the server's answer. Then it closes the connection, since it is
    unknown what became of the statement, and raises OperationalError."""

    patience = PATIENCE_SECONDS

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        began = time.monotonic()
        try:
            return super().wait(gen, interval, self.patience)
        except psycopg.OperationalError as error:
            if time.monotonic() - began < self.patience:
                raise
            self.pgconn.finish()
            seconds = f"{self.patience:g} s"
            raise psycopg.OperationalError(f"no answer from the server in {seconds}") from error


def with_limits(url: URL) -> URL:
    """The address with our limits for each connection added. What the operator's address sets
    itself overrides them."""
    own = {"connect_timeout": str(CONNECT_SECONDS), **KEPT_ALIVE}
    limits = f"-c statement_timeout={STATEMENT_MS} -c idle_in_transaction_session_timeout={IDLE_MS}"
    said = url.query.get("options", "")
    ours = [DURABLE, limits]
    options = {"options": " ".join([*ours, *([said] if isinstance(said, str) else said)]).strip()}
    return url.set(query={**own, **url.query, **options})


SCHEMA_LOCK = 0x76725F75
"""The advisory lock that a copy takes before it migrates, so that no two migrate together."""

CONNECTIONS = 16
POOL_SECONDS = 10
"""How long to wait for a free connection. After that it is an error; a thread must not wait for
ever."""

MIGRATION_SECONDS = 600.0
"""For a copy that waits while another one migrates, or migrates a large table itself."""

_CLOCK = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")


class Postgres:
    """All copies use the database's clock: `clock_timestamp()`, since `now()` is only the time when
    the transaction began. `now` replaces it in tests."""

    one_writer = False

    def __init__(self, url: URL, now: Callable[[], int] | None) -> None:
        self.clock = now
        self.engine = create_engine(
            with_limits(url),
            # Not left to the server's default. At a higher level, a transaction that has waited for
            # a row would still see the inbox as it was before, and could store an intent although
            # a cancel has come in.
            isolation_level="READ COMMITTED",
            hide_parameters=True,  # errors would quote them, response_urls included
            pool_size=CONNECTIONS,
            pool_timeout=POOL_SECONDS,
            pool_pre_ping=True,
        )
        # Instead of SQLAlchemy's own `psycopg.connect`.
        event.listen(
            self.engine,
            "do_connect",
            lambda _dialect, _record, arguments, named: PatientConnection.connect(
                *arguments, **named
            ),
        )

    @contextmanager
    def writing(self, within_s: float | None) -> Iterator[Connection]:
        """A transaction that writes. Where `within_s` is given, the server ends a statement that
        waits longer for a lock, and what has taken longer in all is not committed. Raises
        NotInTime."""
        began = time.monotonic()
        with self.engine.begin() as conn:
            if within_s is not None:
                left_ms = max(1, int((began + within_s - time.monotonic()) * 1000))
                conn.exec_driver_sql(f"SET LOCAL statement_timeout = {left_ms}")
            yield conn
            if within_s is not None and time.monotonic() > began + within_s:
                raise NotInTime(f"not written within {within_s:g} s")

    def reading(self, raw: Connection) -> Connection:
        # All statements of a reading see the same state: the audit trail has to match its head.
        return raw.execution_options(isolation_level="REPEATABLE READ")

    def now(self, conn: Connection) -> int:
        return self.clock() if self.clock else int(conn.execute(_CLOCK).scalar_one())

    def at_leisure(self, conn: Connection) -> None:
        """Until the transaction ends the reader may pause, as people do who read in a pager."""
        conn.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))

    def lock_schema(self, conn: Connection) -> None:
        driver: Any = conn.connection.driver_connection
        driver.patience = MIGRATION_SECONDS
        conn.detach()  # a connection with such limits must not go back to the pool
        conn.execute(text("SET LOCAL statement_timeout = 0"))
        conn.execute(text("SET LOCAL idle_in_transaction_session_timeout = '60s'"))
        conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": SCHEMA_LOCK})

    def missing_file(self) -> str | None:
        return None

    def log_gone(self) -> bool:
        """The server looks after its own files."""
        return False

    def damage(self, conn: Connection) -> str | None:
        """Not checked: the server looks after its own files."""
        return None
