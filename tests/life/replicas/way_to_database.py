"""A forwarder between one copy and PostgreSQL: open, cut, or swallowing everything."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self

CHUNK = 65536


class WayToDatabase:
    """On a port of its own, with a thread for each direction of a connection. Cut: what is open
    ends and nobody listens. Silent: TCP stands, new connections included, and nothing comes
    through, as behind a firewall that drops; what was on its way comes through when the way is open
    again."""

    def __init__(self, port: int) -> None:
        self._target, self.port = ("127.0.0.1", port), 0
        self._flows = threading.Event()
        self._ends: list[socket.socket] = []
        self._lock = threading.Lock()
        self._listening: socket.socket | None = None

    def through(self, database: str) -> str:
        """The same address, by this way."""
        return database.replace(f":{self._target[1]}/", f":{self.port}/")

    def open(self) -> None:
        if self._listening is None:
            self._listening = socket.create_server(("127.0.0.1", self.port), backlog=64)
            self.port = int(self._listening.getsockname()[1])
            threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()
        self._flows.set()

    def cut(self) -> None:
        with self._lock:
            ends = [*self._ends, *([self._listening] if self._listening else [])]
            self._ends, self._listening = [], None
        for end in ends:
            _close(end)
        self._flows.set()  # whoever waits to go on finds its connection closed

    def silence(self) -> None:
        self._flows.clear()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):  # the end of listening
            while True:
                near, _ = listening.accept()
                try:
                    far = socket.create_connection(self._target)
                except OSError:
                    near.close()  # the server is away
                    continue
                with self._lock:
                    self._ends += [near, far]
                    if listening is not self._listening:
                        _close(near)  # cut meanwhile
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self._forward, args=ends, daemon=True).start()

    def _forward(self, end: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := end.recv(CHUNK):
                self._flows.wait()
                other.sendall(data)
        _close(end)
        _close(other)


def _close(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)  # wakes whoever waits at it
    end.close()
