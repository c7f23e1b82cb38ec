"""A forwarder between one copy and PostgreSQL: open, cut, or swallowing everything."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from types import TracebackType
from typing import Literal, Self

Passage = Literal["open", "cut", "silent"]
CHUNK = 65536


class WayToDatabase:
    """On a port of its own, in a thread of its own. Cut: what is open ends and nobody listens.
    Silent: TCP stands, new connections included, and nothing comes through, as behind a firewall
    that drops; what was on its way comes through when the way is open again."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listening: socket.socket | None = _listening_on(0)
        self.port = int(self._listening.getsockname()[1])
        self._passage: Passage = "open"
        self._ended = False
        self._other: dict[socket.socket, socket.socket] = {}
        self._told, self._tell = socket.socketpair()
        self._done = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, name="way-to-database", daemon=True)

    def through(self, database: str) -> str:
        """The same address, by this way."""
        return database.replace(f":{self._target[1]}/", f":{self.port}/")

    def open(self) -> None:
        self._set("open")

    def cut(self) -> None:
        self._set("cut")

    def silence(self) -> None:
        self._set("silent")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._set("cut")
        self._ended = True
        self._tell.send(b".")  # it may stand in `select`; nobody waits for this one's answer
        self._thread.join()
        self._told.close()
        self._tell.close()

    def _set(self, passage: Passage) -> None:
        """Returns when it is so."""
        self._passage = passage
        self._tell.send(b".")
        self._done.acquire()

    def _run(self) -> None:
        while not self._ended:
            through = list(self._other) if self._passage == "open" else []
            doors = [self._listening] if self._listening else []
            for ready in select.select([self._told, *doors, *through], [], [])[0]:
                if ready is self._told:
                    self._told.recv(CHUNK)
                    self._change()
                    self._done.release()
                elif ready is self._listening:
                    self._accept(ready)
                elif ready in self._other:
                    self._forward(ready)

    def _change(self) -> None:
        if self._passage == "cut":
            for end in list(self._other):
                self._hang_up(end)
            if self._listening:
                self._listening.close()
                self._listening = None
        elif self._listening is None:
            self._listening = _listening_on(self.port)

    def _accept(self, listening: socket.socket) -> None:
        near, _ = listening.accept()
        try:
            far = socket.create_connection(self._target)
        except OSError:
            near.close()  # the server is away
            return
        self._other[near], self._other[far] = far, near

    def _forward(self, end: socket.socket) -> None:
        try:
            data = end.recv(CHUNK)
            self._other[end].sendall(data)
        except OSError:
            data = b""
        if not data:
            self._hang_up(end)

    def _hang_up(self, end: socket.socket) -> None:
        other = self._other.pop(end, None)
        if other is not None:
            self._other.pop(other, None)
            for one in (end, other):
                with contextlib.suppress(OSError):
                    one.close()


def _listening_on(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port), backlog=64)
