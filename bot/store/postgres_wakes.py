"""How copies on one PostgreSQL wake each other: LISTEN and NOTIFY, with polling as the net."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

import psycopg
import structlog
from sqlalchemy import URL

from bot.store.postgres_connection import PatientConnection
from bot.store.wakes import Room, Wakes

log = structlog.get_logger(__name__)

CHANNEL = "vr_unpair"

AGAIN_SECONDS = 2.0
"""Between two tries to listen, or to tell. Meanwhile polling is the net."""

BEAT_SECONDS = 5.0
"""A listener that hears nothing asks the server then whether it is still there."""

TELL_SECONDS = 2.0
"""To tell the others must not hold up whoever has just stored something."""


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
            except Exception as error:  # whatever it was, this thread must not end
                if not told and not self._closing.is_set():
                    log.warning("listen_failed", error=type(error).__name__)
                told = True  # once per outage
                self._closing.wait(AGAIN_SECONDS)

    def _hear_over(self, connection: PatientConnection) -> None:
        beat_at = time.monotonic() + BEAT_SECONDS
        while not self._closing.is_set():
            for heard in connection.notifies(timeout=1.0):
                # Of a newer copy, or of anybody who may connect: not for the threads of this one.
                if heard.payload in set(Room):
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
