"""Bytes on the wire: HTTP over TLS, one thread per connection, and the faults below HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Literal, Protocol

from bot.sandbox.appliance.faults import Wire
from bot.sandbox.appliance.messages import Request, Response, refusal

_NO_BODY = (204, 304)
_GARBAGE = b"\x00\xff\x13 220 this is no HTTP\r\n\x07\r\n"
_MAX_BODY_BYTES = 1 << 20
# The answer to bytes that are not a request has no operation behind it.
_NO_OPERATION = "00000000-0000-0000-0000-000000000000"

# After a gap: the next byte, all the rest at once, or nothing more.
Pause = Literal["next", "rest", "cut"]


@dataclass(frozen=True)
class Delivery:
    """What to do with one call: this answer, through this fault.

    A call that hangs has no answer yet: `late` makes it. `since` is (releases, cuts) of the
    appliance at the moment the call came in.
    """

    response: Response | None
    wire: Wire | None = None
    gap_seconds: float = 0.0
    since: tuple[int, int] = (0, 0)
    late: Callable[[], Response] | None = None


class Exchange(Protocol):
    """What a connection needs of the appliance behind it."""

    base_path: str

    def receive(self, request: Request) -> Delivery:
        """Takes a call in: at once, and holding no connection."""

    def resume(self, delivery: Delivery) -> Response | None:
        """Waits while calls hang; None when the connection is cut meanwhile."""

    def pause(self, delivery: Delivery) -> Pause:
        """Waits between two trickled bytes, and says how to go on."""


def encode(response: Response, *, close: bool, head_only: bool = False) -> bytes:
    """The whole answer as bytes, so that it can go out in one write."""
    body = response.raw
    if body is None:
        body = b"" if response.document is None else json.dumps(response.document).encode()
    try:
        reason = HTTPStatus(response.status).phrase
    except ValueError:
        reason = "Unknown"
    headers = {"Date": formatdate(usegmt=True), "Server": "simulated-appliance"}
    if response.status in _NO_BODY:
        body = b""
    else:
        headers["Content-Length"] = str(len(body))
    if body:
        headers["Content-Type"] = response.content_type
    if close:
        headers["Connection"] = "close"
    headers.update(response.headers)
    lines = [f"HTTP/1.1 {response.status} {reason}", *(f"{k}: {v}" for k, v in headers.items())]
    head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    return head if head_only else head + body


class Connection(BaseHTTPRequestHandler):
    """One client connection; it lives as long as the client and the faults let it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    exchange: Exchange

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            # The client went away, or the appliance cut the line: both happen every day, and
            # nobody is left to be told.
            self.close_connection = True

    def _serve(self) -> None:
        problem = self._drain_body()
        if problem is not None:
            self._write(refusal(*problem, _NO_OPERATION), close=True)
            return
        request = Request.parse(
            self.command,
            self.path,
            self.exchange.base_path,
            authorization=self.headers.get("Authorization"),
            token=self.headers.get("x-dr-session"),
            remote_address=str(self.client_address[0]),
        )
        delivery = self.exchange.receive(request)
        response = delivery.response
        if delivery.wire == "hang":
            response = self.exchange.resume(delivery)
        if response is None:
            self.close_connection = True
        else:
            self._deliver(response, delivery)

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = do_HEAD = _serve

    def _deliver(self, response: Response, delivery: Delivery) -> None:
        if delivery.wire in ("cut_before", "cut_after_accept"):
            self.close_connection = True
        elif delivery.wire == "garbage":
            self.close_connection = True
            self.wfile.write(_GARBAGE)
        elif delivery.wire == "truncate":
            self.close_connection = True
            head = len(encode(response, close=False, head_only=True))
            data = encode(response, close=False)
            body = len(data) - head
            # Without a body the status line is cut: clients take half a head for a whole one.
            self.wfile.write(data[: head + body // 2] if body else data[:10])
        elif delivery.wire == "trickle":
            self._trickle(encode(response, close=self.close_connection), delivery)
        else:
            self._write(response, close=self.close_connection)

    def _trickle(self, data: bytes, delivery: Delivery) -> None:
        for sent in range(len(data)):
            pause = self.exchange.pause(delivery)
            if pause == "cut":
                self.close_connection = True
                return
            if pause == "rest":
                self.wfile.write(data[sent:])
                return
            self.wfile.write(data[sent : sent + 1])

    def _write(self, response: Response, *, close: bool) -> None:
        self.close_connection = close
        self.wfile.write(encode(response, close=close, head_only=self.command == "HEAD"))

    def _drain_body(self) -> tuple[Literal[400], str, str] | None:
        """No call of this API's used half has a body that matters; unread it would be read as
        the next request."""
        if "Transfer-Encoding" in self.headers:
            return (400, "INVALID_ARGUMENT", "A chunked body is not understood.")
        text = self.headers.get("Content-Length", "0")
        if not (text.isascii() and text.isdigit()) or int(text) > _MAX_BODY_BYTES:
            return (400, "INVALID_ARGUMENT", "Content-Length is not valid.")
        self.rfile.read(int(text))
        return None

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What http.server says about bytes that are no request, in the vendor's form."""
        text = message or explain or HTTPStatus(code).phrase
        self.command = self.command or "GET"
        self._write(refusal(code, "INVALID_ARGUMENT", text, _NO_OPERATION), close=True)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed: the appliance keeps its calls in `calls`."""
