"""HTTP over TLS with an authority of its own: a listening socket that is opened, cut and closed as
a whole, one thread for each connection, and the faults below HTTP."""

from __future__ import annotations

import hashlib
import json
import selectors
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Sequence
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme

from bot.sandbox.appliance.answers_on_demand import Request, Response, Wire, refusal
from bot.sandbox.appliance.reception import Hanging, Reception

LOCAL_NAMES = ("127.0.0.1", "localhost")

_JOIN_SECONDS = 10.0
_NO_BODY = (204, 304)
_GARBAGE = b"\x00\xff\x13 220 this is no HTTP\r\n\x07\r\n"
_MAX_BODY_BYTES = 1 << 20


class Certificates:
    """The current leaf; the authorities' PEM files stay in `folder`, so an old one can be tried."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = 0
        self.ca_file = ""
        self.fingerprint = ""
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.issue(same_authority=False)

    def issue(self, *, same_authority: bool = True, names: Sequence[str] = LOCAL_NAMES) -> None:
        """Another leaf for these host names, from the same authority or from a new one."""
        if not same_authority:
            self._made += 1
            self._authority = trustme.CA()
            path = self._folder / f"authority-{self._made}.pem"
            self._authority.cert_pem.write_to_path(path)
            self.ca_file = str(path)
        leaf = self._authority.issue_cert(*names)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf.configure_cert(context)
        der = ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())
        self.fingerprint = hashlib.sha256(der).digest().hex(":").upper()
        self.context = context


class Listener(ThreadingHTTPServer):
    """HTTPS on 127.0.0.1. The handshake is made in the connection's own thread.

    Every connection and thread is known by name, since close() has to end them: a daemon thread
    that outlives its test writes into the next one.
    """

    request_queue_size = 256
    daemon_threads = True

    def __init__(
        self, sock: socket.socket, reception: Reception, context: Callable[[], ssl.SSLContext]
    ) -> None:
        handler = type("BoundConnection", (Connection,), {"reception": reception})
        address = sock.getsockname()
        super().__init__(address, handler, bind_and_activate=False)
        self.socket.close()
        self.socket = sock
        self.server_address = address
        self.errors: list[BaseException] = []
        self._context = context
        self._lock = threading.Lock()
        self._live: dict[threading.Thread, socket.socket] = {}
        self._wake_read, self._wake_write = socket.socketpair()
        self._acceptor = threading.Thread(
            target=self._accept_all, name="appliance-accept", daemon=True
        )

    def open(self) -> None:
        self.server_activate()
        self.socket.setblocking(False)
        self._acceptor.start()

    def _accept_all(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self.socket, selectors.EVENT_READ)
            selector.register(self._wake_read, selectors.EVENT_READ)
            while all(key.fileobj is self.socket for key, _ in selector.select()):
                try:
                    request, address = self.get_request()
                except OSError:
                    # The client was gone before it was accepted: nothing to serve.
                    continue
                self.process_request(request, address)

    def get_request(self) -> tuple[ssl.SSLSocket, Any]:
        raw, address = self.socket.accept()
        raw.setblocking(True)
        # The handshake waits for the client, so it must not happen in this thread.
        secured = self._context().wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
        return secured, address

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(
            target=self._run, args=(request, client_address), name="appliance-call", daemon=True
        )
        with self._lock:
            self._live[thread] = request
        thread.start()

    def _run(self, request: ssl.SSLSocket, client_address: Any) -> None:
        try:
            self.process_request_thread(request, client_address)
        finally:
            with self._lock:
                del self._live[threading.current_thread()]

    def finish_request(self, request: Any, client_address: Any) -> None:
        try:
            request.do_handshake()
        except (OSError, ValueError):
            # A client that does not trust us, or that speaks no TLS. ValueError: the other end
            # closed before the handshake had begun.
            return
        super().finish_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A mistake in the sandbox itself: kept, and raised by the appliance's stop()."""
        error = sys.exc_info()[1]
        if error is not None:
            self.errors.append(error)

    def cut_connections(self) -> None:
        """Ends every connection at once, in the middle of whatever it does."""
        with self._lock:
            live = list(self._live.values())
        for sock in live:
            try:
                # Below TLS on purpose: SSLSocket.shutdown() would turn the connection into a
                # plain one under the feet of the thread that uses it.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError:
                # Closed by its own thread or by the client in this moment: what was wanted.
                continue

    def close(self) -> None:
        """Stops listening and ends all connections. RuntimeError when a thread does not end."""
        self._wake_write.send(b"x")
        self._acceptor.join(_JOIN_SECONDS)
        self.server_close()
        self._wake_read.close()
        self._wake_write.close()
        self.cut_connections()
        with self._lock:
            threads = list(self._live)
        for thread in (self._acceptor, *threads):
            thread.join(_JOIN_SECONDS)
            if thread.is_alive():
                raise RuntimeError(f"thread {thread.name} of the simulated appliance did not end")


def reserved_socket(port: int) -> socket.socket:
    """Bound to 127.0.0.1:`port` (0: any free one) and not listening: calls are refused.

    Bound rather than closed, so that nobody else gets the port while the appliance is away, and
    so that a client cannot by chance be given this port as its own and talk to itself.
    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
    except OSError:
        sock.close()
        raise
    return sock


class Connection(BaseHTTPRequestHandler):
    """One client connection; it lives as long as the client and the faults let it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    reception: Reception

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
            self._write(refusal(400, "INVALID_ARGUMENT", problem), close=True)
            return
        host, port = self.connection.getsockname()[:2]
        request = Request.parse(
            self.command,
            self.path,
            origin=f"https://{host}:{port}",
            base_path=self.reception.base_path,
            authorization=self.headers.get("Authorization"),
            token=self.headers.get("x-dr-session"),
            remote_address=str(self.client_address[0]),
        )
        delivery = self.reception.receive(request)
        response: Response | Hanging | None = delivery.response
        if isinstance(response, Hanging):
            response = self.reception.resume(response)
        if response is None:
            self.close_connection = True
        else:
            self._deliver(response, delivery.wire)

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = do_HEAD = _serve

    def _deliver(self, response: Response, wire: Wire | None) -> None:
        if wire in (None, "hang"):
            self._write(response, close=self.close_connection)
            return
        self.close_connection = True
        if wire == "garbage":
            self.wfile.write(_GARBAGE)
        elif wire == "truncate":
            head, body = _encoded(response, close=False)
            # Without a body the status line is cut: clients take half a head for a whole one.
            self.wfile.write(head + body[: len(body) // 2] if body else head[:10])

    def _write(self, response: Response, *, close: bool) -> None:
        """The whole answer in one write."""
        self.close_connection = close
        head, body = _encoded(response, close=close)
        self.wfile.write(head if self.command == "HEAD" else head + body)

    def _drain_body(self) -> str | None:
        """What is wrong with the body. No call of this API's used half has one that matters; unread
        it would be read as the next request."""
        if "Transfer-Encoding" in self.headers:
            return "A chunked body is not understood."
        text = self.headers.get("Content-Length", "0")
        if not (text.isascii() and text.isdigit()) or int(text) > _MAX_BODY_BYTES:
            return "Content-Length is not valid."
        self.rfile.read(int(text))
        return None

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What http.server says about bytes that are no request, in the vendor's form."""
        text = message or explain or HTTPStatus(code).phrase
        self.command = self.command or "GET"
        self._write(refusal(code, "INVALID_ARGUMENT", text), close=True)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed: the appliance keeps its calls in `calls`."""


def _encoded(response: Response, *, close: bool) -> tuple[bytes, bytes]:
    """(head, body)."""
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
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n", body
