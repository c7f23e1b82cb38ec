"""PostgreSQL: for several copies of the bot. Imported only when DATABASE_URL names it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

import psycopg
import structlog
from sqlalchemy import URL, Connection, create_engine, text

from bot.store.wakes import Room, Wakes

log = structlog.get_logger(__name__)

CHANNEL = "vr_unpair"
SCHEMA_LOCK = 0x76725F75
"""The advisory lock that copies which start together take before they migrate."""

CONNECTIONS = 16
CONNECT_SECONDS = 5
POOL_SECONDS = 10
"""How long to wait for a free connection: then an error, and not a thread that stands for ever."""

AGAIN_SECONDS = 2.0
"""Between two tries to listen. Meanwhile polling is the net."""

_CLOCK = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")


class Postgres:
    """Replicas go by the database's clock (`clock_timestamp()`: `now()` is only the start of the
    transaction). `now` replaces it in tests."""

    def __init__(self, url: URL, now: Callable[[], int] | None) -> None:
        self._now = now
        self.engine = create_engine(
            url,
            hide_parameters=True,  # an error would quote them, response_urls included
            pool_size=CONNECTIONS,
            pool_timeout=POOL_SECONDS,
            pool_pre_ping=True,
            connect_args={"connect_timeout": CONNECT_SECONDS},
        )
        self.wakes = PostgresWakes(url)

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

    def lock_schema(self, conn: Connection) -> None:
        conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": SCHEMA_LOCK})

    def missing_file(self) -> str | None:
        return None

    def close(self) -> None:
        self.wakes.close()
        self.engine.dispose()


class PostgresWakes(Wakes):
    """Wakes the threads of every copy, by NOTIFY. A lost one is caught by polling."""

    def __init__(self, url: URL) -> None:
        super().__init__()
        self._conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._telling: psycopg.Connection | None = None
        self._listener: threading.Thread | None = None
        self._listening: psycopg.Connection | None = None

    def listen(self) -> None:
        """From now on the other copies' wakes are heard here; only `run` needs that."""
        self._listener = threading.Thread(target=self._hear, name="listen", daemon=True)
        self._listener.start()

    def wake(self, *rooms: Room) -> None:
        super().wake(*rooms)
        with self._lock:
            try:
                if self._telling is None or self._telling.closed:
                    self._telling = self._connect()
                for room in rooms:
                    self._telling.execute("SELECT pg_notify(%s, %s)", (CHANNEL, room.value))
            except psycopg.Error as error:
                # What was to be told is committed, and polling finds it.
                log.warning("notify_failed", error=type(error).__name__)
                self._forget_telling()

    def close(self) -> None:
        self._closing.set()
        with self._lock:
            self._forget_telling()
        listening = self._listening
        if listening is not None:
            listening.cancel_safe(timeout=1.0)
        if self._listener is not None:
            self._listener.join(timeout=AGAIN_SECONDS + 1)

    def _hear(self) -> None:
        while not self._closing.is_set():
            try:
                with self._connect() as connection:
                    self._listening = connection
                    connection.execute(f"LISTEN {CHANNEL}")
                    # Whatever was told while nobody listened.
                    self._wake_here(*Room)
                    while not self._closing.is_set():
                        for heard in connection.notifies(timeout=1.0):
                            self._wake_here(Room(heard.payload))
            except psycopg.Error as error:
                log.warning("listen_failed", error=type(error).__name__)
                self._closing.wait(AGAIN_SECONDS)

    def _wake_here(self, *rooms: Room) -> None:
        super().wake(*rooms)

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(self._conninfo, autocommit=True, connect_timeout=CONNECT_SECONDS)

    def _forget_telling(self) -> None:
        if self._telling is not None:
            with contextlib.suppress(psycopg.Error):
                self._telling.close()
            self._telling = None
