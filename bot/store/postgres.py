"""PostgreSQL: for several copies of the bot. Imported only when DATABASE_URL names it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import psycopg
import structlog
from sqlalchemy import URL, Connection, create_engine, event, text

from bot.store.postgres_connection import PatientConnection, with_limits
from bot.store.wakes import Room, Wakes

log = structlog.get_logger(__name__)

CHANNEL = "vr_unpair"
SCHEMA_LOCK = 0x76725F75
"""The advisory lock that copies which start together take before they migrate."""

CONNECTIONS = 16
POOL_SECONDS = 10
"""How long to wait for a free connection: then an error, and not a thread that stands for ever."""

AGAIN_SECONDS = 2.0
"""Between two tries to listen, or to tell. Meanwhile polling is the net."""

BEAT_SECONDS = 5.0
"""A listener that hears nothing asks the server then whether it is still there."""

TELL_SECONDS = 2.0
"""To tell the others must not hold up whoever has just stored something."""

MIGRATION_SECONDS = 600.0
"""For a copy that waits for another one's migration, or makes one on a large table."""

_CLOCK = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")


class Postgres:
    """Replicas go by the database's clock (`clock_timestamp()`: `now()` is only the start of the
    transaction). `now` replaces it in tests."""

    one_writer = False

    def __init__(self, url: URL, now: Callable[[], int] | None) -> None:
        self._now = now
        self.engine = create_engine(
            with_limits(url),
            hide_parameters=True,  # an error would quote them, response_urls included
            pool_size=CONNECTIONS,
            pool_timeout=POOL_SECONDS,
            pool_pre_ping=True,
        )
        event.listen(self.engine, "do_connect", _connect)
        self.wakes = PostgresWakes(with_limits(url))

    def writing(self) -> AbstractContextManager[object]:
        return contextlib.nullcontext()

    def reading(self, raw: Connection) -> Connection:
        # One view for all statements of a reading: the audit trail and its head belong together.
        return raw.execution_options(isolation_level="REPEATABLE READ")

    def now(self, conn: Connection) -> int:
        return self._now() if self._now else int(conn.execute(_CLOCK).scalar_one())

    def clock(self) -> int:
        if self._now:
            return self._now()
        with self.engine.connect() as conn:
            return int(conn.execute(_CLOCK).scalar_one())

    def at_leisure(self, conn: Connection) -> None:
        """Until the transaction ends, whoever reads may pause, as somebody at a pager does."""
        conn.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))

    def lock_schema(self, conn: Connection) -> None:
        driver: Any = conn.connection.driver_connection
        driver.patience = MIGRATION_SECONDS
        conn.detach()  # such a connection must not come back to the pool
        conn.execute(text("SET LOCAL statement_timeout = 0"))
        conn.execute(text("SET LOCAL idle_in_transaction_session_timeout = '60s'"))
        conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": SCHEMA_LOCK})

    def missing_file(self) -> str | None:
        return None

    def changes(self, conn: Connection) -> int | None:
        """Not counted: a server that commits is there."""
        return None

    def damage(self, conn: Connection) -> str | None:
        """The server looks after its own files."""
        return None

    def close(self) -> None:
        self.wakes.close()
        self.engine.dispose()


class PostgresWakes(Wakes):
    """Wakes the threads of every copy, by NOTIFY. A lost one is caught by polling."""

    def __init__(self, url: URL) -> None:
        super().__init__()
        # Not as an address in one string: libpq reads its blanks otherwise than SQLAlchemy writes.
        named = url.translate_connect_args(username="user", database="dbname")
        self._server: dict[str, Any] = {**named, **url.query}
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._telling: PatientConnection | None = None
        self._tell_again_at = 0.0
        self._listener: threading.Thread | None = None
        self._listening: PatientConnection | None = None

    def listen(self) -> None:
        """From now on the other copies' wakes are heard here; only `run` needs that."""
        self._listener = threading.Thread(target=self._hear, name="listen", daemon=True)
        self._listener.start()

    def wake(self, *rooms: Room) -> None:
        self._wake_here(*rooms)
        with self._lock:
            if time.monotonic() < self._tell_again_at:
                return
            try:
                self._tell(rooms)
            except psycopg.Error as error:
                # What was to be told is committed, and polling finds it.
                log.warning("notify_failed", error=type(error).__name__)
                self._tell_again_at = time.monotonic() + AGAIN_SECONDS

    def close(self) -> None:
        self._closing.set()
        with self._lock:
            self._forget_telling()
        listening = self._listening
        if listening is not None:
            with contextlib.suppress(psycopg.Error):
                listening.cancel_safe(timeout=1.0)
        if self._listener is not None:
            self._listener.join(timeout=AGAIN_SECONDS + 1)

    def _tell(self, rooms: tuple[Room, ...]) -> None:
        """Over the connection that is kept; a server that was restarted has cut that, so over a new
        one then. Raises psycopg.Error."""
        if self._telling is not None:
            try:
                self._tell_over(self._telling, rooms)
                return
            except psycopg.Error:
                self._forget_telling()
        telling = self._connect()
        telling.patience = TELL_SECONDS
        self._tell_over(telling, rooms)
        self._telling = telling

    def _tell_over(self, connection: PatientConnection, rooms: tuple[Room, ...]) -> None:
        for room in rooms:
            connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, room.value))

    def _hear(self) -> None:
        told = False
        while not self._closing.is_set():
            try:
                with self._connect() as connection:
                    self._listening = connection
                    connection.execute(f"LISTEN {CHANNEL}")
                    log.info("listening")
                    told = False
                    # Whatever was told while nobody listened.
                    self._wake_here(*Room)
                    self._hear_over(connection)
            except psycopg.Error as error:
                if not told and not self._closing.is_set():
                    log.warning("listen_failed", error=type(error).__name__)
                told = True  # once per outage
                self._closing.wait(AGAIN_SECONDS)

    def _hear_over(self, connection: PatientConnection) -> None:
        beat_at = time.monotonic() + BEAT_SECONDS
        while not self._closing.is_set():
            for heard in connection.notifies(timeout=1.0):
                self._wake_here(Room(heard.payload))
            if time.monotonic() >= beat_at:
                connection.execute(f"LISTEN {CHANNEL}")
                beat_at = time.monotonic() + BEAT_SECONDS

    def _wake_here(self, *rooms: Room) -> None:
        super().wake(*rooms)

    def _connect(self) -> PatientConnection:
        return PatientConnection.connect(autocommit=True, **self._server)

    def _forget_telling(self) -> None:
        if self._telling is not None:
            with contextlib.suppress(psycopg.Error):
                self._telling.close()
            self._telling = None


def _connect(
    _dialect: object, _record: object, arguments: list[Any], named: dict[str, Any]
) -> PatientConnection:
    """Instead of SQLAlchemy's own `psycopg.connect`."""
    return PatientConnection.connect(*arguments, **named)
