"""An HTTP proxy."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

PASSWORD = "proxypass"


class Proxy:
    """Tunnels every CONNECT to one port of this machine, or refuses with 407 where there is
    none. `asked` are the heads of the requests."""

    def __init__(self, port: int | None) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.asked: list[str] = []
        self._lines: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve)
        self._pumps: list[threading.Thread] = []
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://user:{PASSWORD}@127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for line in (*self._lines, self._listener):
            line.close()
        for pump in self._pumps:
            pump.join()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self._lines.append(line)
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += line.recv(1)
            self.asked.append(head.decode())
            if self._port is None:
                line.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
                line.close()
                continue
            behind = socket.create_connection(("127.0.0.1", self._port))
            self._lines.append(behind)
            line.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            for source, sink in ((line, behind), (behind, line)):
                pump = threading.Thread(target=_pump, args=(source, sink))
                pump.start()
                self._pumps.append(pump)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):  # a source that was reset ends the other side too
        sink.shutdown(socket.SHUT_RDWR)
