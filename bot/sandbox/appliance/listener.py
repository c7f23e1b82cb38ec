"""The listening socket and the threads behind it: opened, cut and closed as a whole."""

from __future__ import annotations

import selectors
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from typing import Any

from bot.sandbox.appliance.wire import Connection, Exchange

_JOIN_SECONDS = 10.0
Context = Callable[[], ssl.SSLContext]


class Listener(ThreadingHTTPServer):
    """HTTPS on 127.0.0.1. The handshake is made in the connection's own thread.

    Every connection and thread is known by name, since stop() has to end them: a daemon thread
    that outlives its test writes into the next one.
    """

    request_queue_size = 256
    daemon_threads = True

    def __init__(self, sock: socket.socket, exchange: Exchange, context: Context) -> None:
        handler = type("BoundConnection", (Connection,), {"exchange": exchange})
        address = sock.getsockname()
        super().__init__(address, handler, bind_and_activate=False)
        self.socket.close()
        self.socket = sock
        self.server_address = address
        self.errors: list[BaseException] = []
        self.handshake_failures = 0
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
            with self._lock:
                self.handshake_failures += 1
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
