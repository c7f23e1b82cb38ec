"""A collector of the audit trail over real HTTP, on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class SmallCollector:
    """`status` is what it answers now. `asked` has the headers and records of each post, `taken`
    the records that it said 2xx to; `on_taken` is told of these before it says so."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[Any, list[dict[str, Any]]]] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    on_taken: Callable[[list[dict[str, Any]]], object] = lambda _records: None
    url: str = ""


@contextmanager
def collecting(**how: Any) -> Iterator[SmallCollector]:
    collector = SmallCollector(**how)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            records = [json.loads(line) for line in body.splitlines()]
            collector.asked.append((self.headers, records))
            status = collector.status
            if 200 <= status < 300:
                collector.on_taken(records)
                collector.taken += records
            self.send_response(status)
            for name, value in {"Content-Length": "0", **collector.headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True  # a client keeps its connection

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    collector.url = f"http://127.0.0.1:{server.server_port}/audit?source=secret"
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
