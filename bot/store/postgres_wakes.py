"""How copies on one PostgreSQL wake each other: LISTEN and NOTIFY. Polling finds what they miss."""

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
"""Between two tries to listen or to notify. Meanwhile polling finds new work."""

BEAT_SECONDS = 5.0
"""How often the listener asks the server whether it is still there."""

TELL_SECONDS = 2.0
"""The most that notifying may take, since it delays the thread that has just stored something."""


class PostgresWakes(Wakes):
    """Wakes the threads of every copy with NOTIFY. If one is lost, polling finds the work later."""

    def __init__(self, url: URL) -> None:
        super().__init__()
        # Not as one string: libpq reads blanks in it differently from how SQLAlchemy writes them.
        named = url.translate_connect_args(username="user", database="dbname")
        self._server: dict[str, Any] = {**named, **url.query}
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._telling: PatientConnection | None = None
        self._tell_again_at = 0.0
        self._listener: threading.Thread | None = None
        self._listening: PatientConnection | None = None

    def listen(self) -> None:
        """From now on this copy hears the wakes of the others. Only `run` needs that."""
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
                # The work itself is committed, so polling finds it.
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
        """Notify over the connection that is kept open. If that fails, as after a restart of the
        server, do it over a new one. Raises psycopg.Error."""
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
                    # Wakes may have been missed before.
                    self._wake_here(*Room)
                    self._hear_over(connection)
            except Exception as error:  # of any kind: this thread must not end
                if not told and not self._closing.is_set():
                    log.warning("listen_failed", error=type(error).__name__)
                told = True  # once per outage
                self._closing.wait(AGAIN_SECONDS)

    def _hear_over(self, connection: PatientConnection) -> None:
        beat_at = time.monotonic() + BEAT_SECONDS
        while not self._closing.is_set():
            for heard in connection.notifies(timeout=1.0):
                # Other payloads come from a newer copy or from anybody who may connect.
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
