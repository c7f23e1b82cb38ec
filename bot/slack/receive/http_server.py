"""What answers on a port: Slack's requests, and the pages for operators.

A stranger can reach this port. So a request has its time to arrive as a whole, nothing beyond a
megabyte of it is kept, nobody keeps others out by holding connections, and nothing is parsed before
its signature is verified. These limits are settings of Tornado, or kept by what it calls here
(`HTTPServerConnectionDelegate`). Requests are answered in threads of ours.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from http import HTTPStatus
from queue import SimpleQueue
from typing import NamedTuple, TypeAlias, cast

import structlog
from tornado.http1connection import HTTP1ServerConnection
from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream

from bot.threads import Threads

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
"""For a body, and for an answer that its reader has to take. Slack sends a request in one go, and
waits for three seconds."""

KEPT_S = 75.0
"""For a connection at rest, until the next head is there. Longer than load balancers keep theirs,
mostly 60 s, or they would send a click into one that is just being closed."""

THREADS = 8
"""In which requests are answered, and the envelopes of Socket Mode."""

TEXT = "text/plain; charset=utf-8"

Answer: TypeAlias = tuple[int, bytes, str]
"""Status, body and content type."""

Slack: TypeAlias = Callable[[bytes, str, str], Answer]
"""From body, timestamp and signature of a request."""

Answering: TypeAlias = Callable[[], AbstractContextManager[object]]
"""Around the work of one thread on one request, until its answer is handed to the system."""


class Request(NamedTuple):
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Reply(NamedTuple):
    status: int
    body: bytes
    content_type: str = TEXT
    allow: str = ""


class Paths:
    """What there is on one port: `pages` by their paths, and Slack's requests where `slack` is."""

    def __init__(self, pages: Mapping[str, Callable[[], Answer]], slack: Slack | None) -> None:
        self._pages = pages
        self.slack = slack

    def __call__(self, request: Request) -> Reply:
        page, slack = self._pages.get(request.path), self.slack
        if page is not None:
            if request.method not in ("GET", "HEAD"):
                return Reply(405, b"method not allowed\n", allow="GET, HEAD")
            return Reply(*page())
        if slack is None or request.path != EVENTS:
            return Reply(404, b"not found\n")
        if request.method != "POST":
            return Reply(405, b"method not allowed\n", allow="POST")
        timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
        return Reply(*slack(request.body, timestamp, request.headers.get("X-Slack-Signature", "")))


class _Arriving(HTTPMessageDelegate):
    """One request of a connection, from before its first byte until its answer is written. All of
    it is called in the thread of the loop."""

    def __init__(self, server: Server, stream: IOStream, connection: HTTPConnection) -> None:
        self._server = server
        self._stream = stream
        self._connection = connection
        self._start = RequestStartLine("", "", "")
        self._headers = HTTPHeaders()
        self._body = bytearray()
        self._too_large = False

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        self._start, self._headers = cast(RequestStartLine, start_line), headers
        announced = headers.get("Content-Length", "").strip()
        if announced.isdecimal() and (len(announced) > 12 or int(announced) > LARGEST_BODY):
            self._refuse()

    def data_received(self, chunk: bytes) -> None:
        if self._too_large:
            return  # read and dropped: hanging up on it would reset the connection with the answer
        self._body += chunk
        self._server.held += len(chunk)
        if len(self._body) > LARGEST_BODY:
            self._refuse()
        elif self._server.held > ALL_BODIES:
            self._release()
            self._stream.close()

    def finish(self) -> None:
        body = self._release()
        if self._too_large:
            self._connection.finish()
            return
        path = self._start.path.partition("?")[0]
        request = Request(self._start.method, path, self._headers, body)
        self._server.arrived(self._stream, request, self.send)

    def on_connection_close(self) -> None:
        self._release()

    def send(self, reply: Reply) -> None:
        self._write(reply)
        self._connection.finish()

    def _refuse(self) -> None:
        self._too_large = True
        self._release()
        self._server.on_too_large()
        self._write(Reply(413, b"too large\n"))

    def _write(self, reply: Reply) -> None:
        headers = HTTPHeaders(
            {
                "Content-Type": reply.content_type,
                "Content-Length": str(len(reply.body)),
                "Cache-Control": "no-store",
            }
        )
        if reply.allow:
            headers["Allow"] = reply.allow
        line = ResponseStartLine("HTTP/1.1", reply.status, HTTPStatus(reply.status).phrase)
        body = b"" if self._start.method == "HEAD" else reply.body
        written = self._connection.write_headers(line, headers, body)
        self._server.writes(self._stream, written)

    def _release(self) -> bytes:
        body = bytes(self._body)
        self._server.held -= len(self._body)
        self._body.clear()
        return body


class Server(HTTPServerConnectionDelegate):
    """Tornado around an application, in threads. It is bound when it is made, so that a taken port
    is an error at once (OSError); connections wait until `start` answers them.

    An application that raises is answered 500, with nothing of it, and logged. Signals are left to
    whoever calls `close`. `on_too_large` is called for each 413.
    """

    def __init__(
        self,
        application: Callable[[Request], Reply],
        host: str,
        port: int,
        *,
        on_too_large: Callable[[], None] = lambda: None,
        answering: Answering = nullcontext,
        arrives_within_s: float = ARRIVES_WITHIN_S,
        kept_s: float = KEPT_S,
    ) -> None:
        self._application = application
        self.on_too_large = on_too_large
        self._answering = answering
        self._within_s, self._kept_s = arrives_within_s, kept_s
        self._sockets = _bound(host, port)
        self.port: int = self._sockets[0].getsockname()[1]
        """The one that it is bound to, also if 0 was asked for."""
        self.held = 0
        """Bytes of the bodies that are arriving."""
        self._waiting: dict[IOStream, None] = {}
        """Connections on which no request is being answered, the one that waits longest first."""
        self._answered = 0
        self._jobs: SimpleQueue[tuple[Request, Callable[[Reply], None]] | None] = SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending, self._idle = asyncio.Event(), asyncio.Event()
        self._drain_s = 0.0
        self._threads = Threads()

    def start(self) -> None:
        """Serve in threads."""
        self._loop = asyncio.new_event_loop()
        self._threads.start("http", self._run, self._loop)
        for number in range(THREADS):
            self._threads.start(f"http-{number}", self._answer)

    def close(self, drain_s: float = 5.0) -> bool:
        """Take no new connections, answer running requests within `drain_s`, then end. Returns
        whether all were answered."""
        self._drain_s = drain_s
        if self._loop is None:
            for one in self._sockets:
                one.close()
        self._in_loop(self._ending.set)
        return self._threads.stop(drain_s + 0.5)

    def _in_loop(self, do: Callable[..., object], *args: object) -> bool:
        """Have it done by the thread of the loop. False if that has ended, or never begun."""
        try:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(do, *args)
                return True
        except RuntimeError:
            pass
        return False

    # ---- in the thread of the loop ---------------------------------------------------------------

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        http = HTTPServer(
            self,
            max_header_size=LARGEST_HEAD,
            # What is too large is answered and dropped here, and ends with the time for a body.
            max_body_size=sys.maxsize,
            body_timeout=self._within_s,
            idle_connection_timeout=self._kept_s,
        )
        http.add_sockets(self._sockets)
        await self._ending.wait()
        http.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._drain_s):
                while self._answered:
                    self._idle.clear()
                    await self._idle.wait()
        if self._answered:
            log.warning("http_cut_off", requests=self._answered)
        for _ in range(THREADS):
            self._jobs.put(None)
        await http.close_all_connections()

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> _Arriving:
        """A connection is there, or has its answer."""
        stream = cast(HTTP1ServerConnection, server_conn).stream
        self._waiting.pop(stream, None)
        self._waiting[stream] = None
        if len(self._waiting) > CONNECTIONS:
            self._waiting = {one: None for one in self._waiting if not one.closed()}
        if len(self._waiting) > CONNECTIONS:
            next(iter(self._waiting)).close()
        return _Arriving(self, stream, request_conn)

    def arrived(self, stream: IOStream, request: Request, send: Callable[[Reply], None]) -> None:
        self._waiting.pop(stream, None)
        self._answered += 1
        self._jobs.put((request, send))

    def writes(self, stream: IOStream, written: asyncio.Future[None]) -> None:
        """Whoever does not read an answer does not keep it here for ever."""
        end = asyncio.get_running_loop().call_later(self._within_s, stream.close)
        written.add_done_callback(lambda _: end.cancel())

    # ---- in a thread of its own ------------------------------------------------------------------

    def _answer(self) -> None:
        while (job := self._jobs.get()) is not None:
            request, send = job
            with self._answering():
                try:
                    reply = self._application(request)
                except Exception:
                    log.exception("page_failed", path=request.path)
                    reply = Reply(500, b"failed\n")
                out = threading.Event()
                if self._in_loop(self._send, send, reply, out):
                    out.wait(self._within_s)

    def _send(self, send: Callable[[Reply], None], reply: Reply, out: threading.Event) -> None:
        try:
            send(reply)
        finally:
            out.set()
            self._answered -= 1
            self._idle.set()


def _bound(host: str, port: int) -> list[socket.socket]:
    """One socket for each address of the host. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    with ExitStack() as stack:
        bound = [
            stack.enter_context(socket.create_server(address[:2], family=family))
            for family, _, _, _, address in found
        ]
        for one in bound:
            one.setblocking(False)
        stack.pop_all()
    return bound
