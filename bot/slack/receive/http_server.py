"""What answers on a port: Slack's requests, and the pages for operators.

A stranger can reach this port. So a request has ten seconds to arrive as a whole, nothing beyond a
megabyte of it is kept, nobody keeps others out by holding connections, and nothing is parsed before
its signature is verified.
"""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias

import structlog
from waitress import create_server, wasyncore  # type: ignore[import-untyped]
from waitress.channel import HTTPChannel  # type: ignore[import-untyped]
from waitress.parser import HTTPRequestParser, ParsingError  # type: ignore[import-untyped]
from waitress.server import BaseWSGIServer  # type: ignore[import-untyped]
from waitress.task import ErrorTask  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger(__name__)

EVENTS = "/slack/events"

LARGEST_BODY = 1024 * 1024
"""Bytes. Slack's largest payloads, modals with their state, are far smaller (contract, HTTP)."""

LARGEST_HEAD = 32 * 1024
"""Bytes. Slack's are below two thousand; proxies add some."""

ALL_BODIES = 32 * LARGEST_BODY
"""Bytes, of all requests that are still arriving. They are kept in memory."""

CONNECTIONS = 500
"""Each costs a file descriptor, of which a process often has 1024."""

ARRIVES_WITHIN_S = 10.0
"""For a request, head and body, and for a connection on which none has begun. Slack sends a request
in one go, and waits for three seconds."""

KEPT_S = 75.0
"""For a connection at rest after an answer. Longer than load balancers keep theirs, mostly 60 s, or
they would send a click into one that is just being closed."""

ROUND_S = 0.5

THREADS = 8
"""In which requests are answered, and the envelopes of Socket Mode."""

TEXT = "text/plain; charset=utf-8"

Answer: TypeAlias = tuple[int, bytes, str]
"""Status, body and content type."""

Slack: TypeAlias = Callable[[bytes, str, str], Answer]
"""From body, timestamp and signature of a request."""

Answering: TypeAlias = Callable[[], AbstractContextManager[object]]
"""Around the work of one thread on one request, until its answer is handed to the system."""


class Wsgi:
    """The application on one port: `pages` by their paths, and Slack's requests where `slack` is.

    A page that raises is answered by waitress, with a 500 that shows nothing, and logged.
    """

    def __init__(self, pages: Mapping[str, Callable[[], Answer]], slack: Slack | None) -> None:
        self._pages = pages
        self.slack = slack

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        more: list[tuple[str, str]] = []
        if path in self._pages:
            allowed: tuple[str, ...] = ("GET", "HEAD")
        else:
            allowed = ("POST",) if path == EVENTS and self.slack else ()
        if not allowed:
            status, body, content_type = 404, b"not found\n", TEXT
        elif method not in allowed:
            status, body, content_type = 405, b"method not allowed\n", TEXT
            more = [("Allow", ", ".join(allowed))]
        elif self.slack and path == EVENTS:
            status, body, content_type = self.slack(
                environ["wsgi.input"].read(),
                str(environ.get("HTTP_X_SLACK_REQUEST_TIMESTAMP", "")),
                str(environ.get("HTTP_X_SLACK_SIGNATURE", "")),
            )
        else:
            status, body, content_type = self._pages[path]()
        headers = [
            *more,
            ("Content-Type", content_type),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ]
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [] if method == "HEAD" else [body]


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """Refuses a body whose end can be read in two ways: whoever reads it in the other one takes the
    rest for a request of its own (RFC 9112, 6.1 and 6.3)."""

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        # waitress takes the header away where it has followed it.
        unread = "TRANSFER_ENCODING" in self.headers
        if unread or (self.chunked and "CONTENT_LENGTH" in self.headers):
            raise ParsingError("the length of the body can be read in two ways")


class _ErrorAnswer(ErrorTask):  # type: ignore[misc]
    """The answer to a request that waitress itself refuses: too large, or no HTTP.

    What still comes is read and dropped for a while. Hanging up on bytes that nobody has read
    resets the connection, and its other end never sees the answer.
    """

    def service(self) -> None:
        channel = self.channel
        if self.request.error.code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            channel.on_too_large()
        super().service()
        with channel.requests_lock:
            # Whatever stands behind a refused request is no request.
            del channel.requests[1:]
            channel.request = None
        channel.drops = True
        self.close_on_finish = False
        with suppress(OSError):  # the other end has left
            channel.socket.shutdown(socket.SHUT_WR)


class _Connection(HTTPChannel):  # type: ignore[misc]
    """`waits_since`: since when it has been at rest, or a request has been arriving on it."""

    parser_class = _Parser
    error_task_class = _ErrorAnswer

    def __init__(
        self,
        *args: Any,
        on_too_large: Callable[[], None],
        answering: Answering,
        now: Callable[[], float],
        **options: Any,
    ) -> None:
        self.on_too_large = on_too_large
        self.answering = answering
        self.now = now
        self.waits_since = now()
        self.answered = self.drops = False
        super().__init__(*args, **options)

    @property
    def busy(self) -> bool:
        """Whether a request was received and is not completely answered yet."""
        return bool(self.requests or self.total_outbufs_len)

    def received(self, data: bytes) -> bool:
        if self.drops:
            return False
        if self.answered:
            # The first bytes after an answer. Those of a request that never ends do not come here.
            self.waits_since, self.answered = self.now(), False
        return bool(super().received(data))

    def service(self) -> None:
        self.waits_since = math.inf
        with self.answering():
            super().service()
            self.waits_since, self.answered = self.now(), True


class Server:
    """waitress around an application. It is bound when it is made, so that a taken port is an error
    at once (OSError); connections wait until `start` answers them.

    waitress has neither a stop that first answers running requests, nor a time for a request as a
    whole. So its loop is run here, one round at a time. Signals are left to whoever calls `close`.
    `on_too_large` is called for each 413. `now` is in monotonic seconds.
    """

    def __init__(
        self,
        wsgi: WSGIApplication,
        host: str,
        port: int,
        *,
        on_too_large: Callable[[], None] = lambda: None,
        answering: Answering = nullcontext,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._sockets = _bound(host, port)
        self._map: dict[int, Any] = {}
        self._dispatcher = create_server(
            wsgi,
            map=self._map,
            sockets=self._sockets,
            threads=THREADS,
            ident="",
            # It would stop accepting. Here who has waited longest goes instead.
            connection_limit=2 * CONNECTIONS,
            max_request_header_size=LARGEST_HEAD,
            # It refuses from this size on; what is smaller never goes to the disk.
            max_request_body_size=LARGEST_BODY + 1,
            inbuf_overflow=LARGEST_BODY + 1,
            log_socket_errors=False,
        ).task_dispatcher
        self._servers = [one for one in self._map.values() if isinstance(one, BaseWSGIServer)]
        for one in self._servers:
            one.channel_class = partial(
                _Connection, on_too_large=on_too_large, answering=answering, now=now
            )
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)
        self._ending = threading.Event()
        self._drain_s = 0.0
        self._cut_off = 0

    @property
    def port(self) -> int:
        """The port that it is bound to, also if 0 was asked for."""
        return int(self._servers[0].effective_port)

    def start(self) -> None:
        """Serve in a thread."""
        self._thread.start()

    def close(self, drain_s: float = 5.0) -> bool:
        """Take no new connections, answer running requests within `drain_s`, then end. Returns
        whether all were answered. Not thread-safe."""
        self._drain_s = drain_s
        self._ending.set()
        if self._thread.is_alive():
            # Ends the round in which the loop waits. Its pipes are open, only this method closes
            # them: later their file descriptors may belong to a database file.
            self._servers[0].pull_trigger()
            self._thread.join()
        self._dispatcher.shutdown(timeout=0.5)
        if not self._dispatcher.threads:
            wasyncore.close_all(self._map)
        # Otherwise a thread still works and will write to a pipe when it is done. So the pipes stay
        # open; the process is about to end anyway.
        return not self._cut_off

    def _run(self) -> None:
        while not self._ending.is_set():
            self._round(ROUND_S)
        for one in self._sockets:
            self._map.pop(one.fileno())
            one.close()
        deadline = time.monotonic() + self._drain_s
        while (busy := sum(one.busy for one in self.connections())) and time.monotonic() < deadline:
            self._round(0.05)
        if busy:
            log.warning("http_cut_off", requests=busy)
        self._cut_off = busy

    def _round(self, wait_s: float) -> None:
        wasyncore.loop(timeout=wait_s, use_poll=True, map=self._map, count=1)
        self._hang_up()

    def _hang_up(self) -> None:
        """Hang up on whoever takes too long, and on those that have waited longest where there are
        too many, or where too much has come of requests that are not complete."""
        now = self._now()
        waiting = [one for one in self.connections() if not one.requests]
        waiting.sort(key=lambda one: one.waits_since)
        too_many = len(waiting) - CONNECTIONS
        # Bytes of the bodies that are arriving.
        held = {one: one.request.body_bytes_received if one.request else 0 for one in waiting}
        in_all = sum(held.values())
        for number, one in enumerate(waiting):
            at_rest = one.answered and not one.drops and not one.busy
            late = now - one.waits_since > (KEPT_S if at_rest else ARRIVES_WITHIN_S)
            if late or number < too_many or (held[one] and in_all > ALL_BODIES):
                in_all -= held[one]
                one.handle_close()

    def connections(self) -> list[_Connection]:
        return [one for one in self._map.values() if isinstance(one, _Connection)]


def _bound(host: str, port: int) -> list[socket.socket]:
    """One socket for each address of the host. waitress could do this, but if the port is taken it
    leaves its threads and pipes behind. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    with ExitStack() as stack:
        bound = [
            stack.enter_context(socket.create_server(address[:2], family=family))
            for family, _, _, _, address in found
        ]
        stack.pop_all()
    return bound
