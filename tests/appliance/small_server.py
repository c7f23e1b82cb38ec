"""A small appliance of our own over real TLS, whose every answer a test decides.

It is not the sandbox: it knows nothing of the API beyond the log-in, so that a test says in its
own lines what the appliance does, however odd.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import trustme
from pydantic import SecretStr

from bot.appliance.http_answers import CallError
from bot.appliance.session import Credentials
from bot.request.problem import ProblemKind
from tests.appliance.clients import BASE

REMOTE_PASSWORD = "password-of-remote"
REMOTE = {"remote": Credentials("remote-admin", SecretStr(REMOTE_PASSWORD))}
TOKEN = "token-secret-"  # and the number of the log-in


@dataclass(frozen=True)
class Seen:
    method: str
    path: str  # without base path and query
    query: dict[str, list[str]]
    headers: dict[str, str]  # names in lower case

    @property
    def user(self) -> str:
        """The name and password that it logs in with."""
        given = self.headers["authorization"]
        assert given.startswith("Basic ")
        return base64.b64decode(given.removeprefix("Basic ")).decode()


@dataclass
class Reply:
    """One answer, in one write; `raw` replaces everything after the request was read."""

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: Callable[[Handler], None] | None = None

    def write(self, handler: Handler) -> None:
        if self.raw is not None:
            self.raw(handler)
            return
        body = b"" if self.body is None else self.body
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        lines = [f"HTTP/1.1 {self.status} X", *(f"{k}: {v}" for k, v in self.headers.items())]
        if self.status != 204:
            lines.append(f"Content-Length: {len(body)}")
        handler.wfile.write("\r\n".join([*lines, "", ""]).encode() + body)


Answers = Callable[[Seen], Reply]


@contextmanager
def fails(kind: ProblemKind, match: str | None = None) -> Iterator[pytest.ExceptionInfo[CallError]]:
    with pytest.raises(CallError, match=match) as caught:
        yield caught
    assert caught.value.kind is kind


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # session tickets go first, and 40 ms of waiting with them
    server: Server

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        with self.server.lock:
            self.server.http_bytes += len(self.raw_requestline)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        address = urlsplit(self.path)
        seen = Seen(
            self.command,
            address.path.removeprefix(BASE),
            parse_qs(address.query),
            {name.lower(): value for name, value in self.headers.items()},
        )
        self.server.answer(seen).write(self)

    def log_message(self, format: str, *args: Any) -> None:
        return


def cut(handler: Handler) -> None:
    """A raw reply: the connection ends without an answer."""
    handler.close_connection = True


def broken_tls(handler: Handler) -> None:
    """A raw reply: bytes that are no TLS record, after the request was received."""
    with socket.socket(fileno=os.dup(handler.connection.fileno())) as plain:
        plain.sendall(b"this is not a TLS record at all")
    handler.close_connection = True


class Server(ThreadingHTTPServer):
    """Routes are exact paths; a route is a list of replies (the last one stays) or a function."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, leaf: trustme.LeafCert) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf.configure_cert(self.context)
        self.lock = threading.Condition()
        self.seen: list[Seen] = []
        self.http_bytes = 0
        self.handshakes = 0
        self.ended = 0
        self.routes: dict[tuple[str, str], Answers] = {}
        self._open: set[ssl.SSLSocket] = set()
        self.logins = 0
        self.before_handshake: Callable[[], object] = lambda: None
        self.on_call("POST", "/session", self._log_in)
        self.on("GET", "/session", Reply(200, {"username": "u"}))
        self.on("GET", "/info", Reply(200, {"version": "9"}))

    @property
    def host(self) -> str:
        return f"localhost:{self.server_address[1]}"

    def _log_in(self, seen: Seen) -> Reply:
        with self.lock:
            self.logins += 1
            return Reply(200, {"session_id": f"{TOKEN}{self.logins}"})

    def on(self, method: str, path: str, *replies: Reply) -> None:
        left = list(replies)
        self.on_call(method, path, lambda _: left.pop(0) if len(left) > 1 else left[0])

    def on_call(self, method: str, path: str, answers: Answers) -> None:
        self.routes[method, path] = answers

    def answer(self, seen: Seen) -> Reply:
        with self.lock:
            self.seen.append(seen)
            found = self.routes.get((seen.method, seen.path))
        return found(seen) if found else Reply(404)

    def count(self, method: str, path: str | None = None) -> int:
        return sum(s.method == method and path in (None, s.path) for s in self.seen)

    def settle(self, connections: int = 1) -> None:
        """Wait until that many connections have ended here, so that counts are final."""
        with self.lock:
            assert self.lock.wait_for(lambda: self.ended >= connections, 5)

    def hang_up(self, connections: int) -> None:
        """Close so many connections, and wait until all have ended."""
        with self.lock:
            assert self.lock.wait_for(lambda: len(self._open) == connections, 5)
            for tls in self._open:
                tls.shutdown(socket.SHUT_RDWR)
            assert self.lock.wait_for(lambda: not self._open, 5)

    def finish_request(self, request: Any, client_address: Any) -> None:
        try:
            self._serve_tls(request, client_address)
        finally:
            with self.lock:
                self.ended += 1
                self.lock.notify_all()

    def _serve_tls(self, request: Any, client_address: Any) -> None:
        try:
            self.before_handshake()
            request.settimeout(20)
            tls = self.context.wrap_socket(request, server_side=True)
        except OSError:  # the client did not trust us: that is what some tests want
            return
        with self.lock:
            self.handshakes += 1
            self._open.add(tls)
            self.lock.notify_all()
        try:
            Handler(tls, client_address, self)
        except OSError:  # the client hung up, or the test is over
            return
        finally:
            with self.lock:
                self._open.discard(tls)
            tls.close()

    def close_all(self) -> None:
        self.shutdown()
        self.server_close()
        with self.lock:
            left = list(self._open)
        for tls in left:
            tls.close()


Start = Callable[[trustme.LeafCert], Server]


@contextmanager
def running(leaf: trustme.LeafCert) -> Iterator[Server]:
    server = Server(leaf)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.close_all()
    thread.join(60)
    assert not thread.is_alive()
