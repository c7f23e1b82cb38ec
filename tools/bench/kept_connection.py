"""One kept HTTP connection, as cheap as Python has it: what is measured is the other side."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Mapping
from typing import Self


class Kept:
    """Calls on one connection. Raises RuntimeError for an answer that is no 2xx."""

    def __init__(self, host: str, port: int, ca_file: str | None = None) -> None:
        self._connection: http.client.HTTPConnection = (
            http.client.HTTPSConnection(
                host, port, timeout=10, context=ssl.create_default_context(cafile=ca_file)
            )
            if ca_file
            else http.client.HTTPConnection(host, port, timeout=10)
        )

    def call(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> str:
        """The answer's text."""
        self._connection.request(method, path, body, dict(headers))
        # A server that writes head and body apart would have its second packet wait for our
        # acknowledgement of the first, which Linux holds back for 40 ms.
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        answer = self._connection.getresponse()
        said = answer.read()
        if not 200 <= answer.status < 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {said[:200]!r}")
        return said.decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._connection.close()
