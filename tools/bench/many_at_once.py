"""Requests on many kept connections at once: each sends its next one when its last is answered.

A process of its own, since the sandbox has the other one's interpreter busy. On stdin one JSON
object: `port`, `connections`, and `requests`, each a whole request as text; it answers with a list:
how many milliseconds each took, from its first byte out to its answer's last byte in.
"""

from __future__ import annotations

import json
import selectors
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence

from tools.bench.processes import ROOT

SILENT_SECONDS = 10.0
"""Without any answer: then this is no measurement."""

WARM = b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
"""The first request of each connection: to be accepted is not what is measured."""


class Connection:
    """With at most one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=SILENT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._heard = b""
        self._began = 0.0

    def ask(self, request: bytes) -> None:
        self._heard = b""
        self._began = time.perf_counter()
        self.socket.sendall(request)
        # As in bare_calls.py: head and body may come apart.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def hear(self) -> float | None:
        """Milliseconds when the answer is whole. Raises RuntimeError for an answer but 200."""
        more = self.socket.recv(65536)
        self._heard += more
        head, found, body = self._heard.partition(b"\r\n\r\n")
        if not more or (found and not head.startswith(b"HTTP/1.1 200 ")):
            raise RuntimeError(f"no 200: {self._heard[:200]!r}")
        if not found or len(body) < _length(head):
            return None
        return 1000 * (time.perf_counter() - self._began)


def milliseconds(port: int, connections: int, requests: Sequence[str]) -> list[float]:
    """Of each, in the order of the answers, as that process takes them."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.bench.many_at_once"],
        cwd=ROOT,
        input=json.dumps({"port": port, "connections": connections, "requests": requests}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [float(one) for one in json.loads(done.stdout)]


def send_all(port: int, many: int, requests: list[bytes]) -> list[float]:
    connections = [Connection(port) for _ in range(many)]
    try:
        for one in connections:
            one.ask(WARM)
            while one.hear() is None:
                pass
        return list(_answered(connections, deque(requests)))
    finally:
        for one in connections:
            one.socket.close()


def _answered(connections: list[Connection], requests: deque[bytes]) -> Iterator[float]:
    with selectors.DefaultSelector() as selector:
        for one in connections:
            selector.register(one.socket, selectors.EVENT_READ, one)
            one.ask(requests.popleft())
        while selector.get_map():
            ready = selector.select(SILENT_SECONDS)
            if not ready:
                raise RuntimeError(f"no answer within {SILENT_SECONDS} s")
            for key, _ in ready:
                took = key.data.hear()
                if took is None:
                    continue
                yield took
                if requests:
                    key.data.ask(requests.popleft())
                else:
                    selector.unregister(key.fileobj)


def _length(head: bytes) -> int:
    for field in head.split(b"\r\n")[1:]:
        name, _, value = field.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise RuntimeError(f"an answer that does not say its length: {head!r}")


def main() -> None:
    told = json.load(sys.stdin)
    requests = [one.encode() for one in told["requests"]]
    json.dump(send_all(told["port"], told["connections"], requests), sys.stdout)


if __name__ == "__main__":
    main()
