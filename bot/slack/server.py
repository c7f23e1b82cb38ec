"""waitress around the WSGI application, with a stop that first answers running requests.

waitress has no such stop: its loop runs until the process ends. So the loop is run here, one round
at a time. Signals are left to whoever calls `close`.
"""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import structlog
from waitress import create_server, wasyncore  # type: ignore[import-untyped]
from waitress.server import BaseWSGIServer  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

log = structlog.get_logger(__name__)

NEVER_READ_MORE = 32 * 1024 * 1024
"""Bytes. A body above the application's own limit is received to its end, into a temporary file,
so that the client reads the 413. Above this limit waitress answers 413 and hangs up, which many
clients report as a broken connection."""

CONNECTIONS = 500
"""Idle connections cost a file descriptor each, and must not keep Slack out (waitress: 100)."""

SILENT_S = 30
"""Slack sends a request in one go, so nobody needs a silent connection for longer."""

ROUND_S = 0.5


class Server:
    """It is bound when it is made, so that a taken port is an error at once (OSError). From then on
    connections wait in the backlog, until `start` answers them."""

    def __init__(self, wsgi: WSGIApplication, host: str, port: int, threads: int = 8) -> None:
        self._map: dict[int, Any] = {}
        server = create_server(
            wsgi,
            map=self._map,
            sockets=_bound(host, port),
            threads=threads,
            ident="",
            connection_limit=CONNECTIONS,
            channel_timeout=SILENT_S,
            cleanup_interval=10,
            max_request_body_size=NEVER_READ_MORE,
            asyncore_use_poll=True,
            log_socket_errors=False,
        )
        self._dispatcher = server.task_dispatcher
        self._listening = [x for x in self._map.values() if isinstance(x, BaseWSGIServer)]
        self._ending = threading.Event()
        self._ended = threading.Event()
        self._ended.set()
        self._drain_s = 0.0
        self._cut_off = 0
        self._pipes = threading.Lock()
        self._pipes_closed = False
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port that it is bound to, also if 0 was asked for."""
        return int(self._listening[0].effective_port)

    def start(self) -> None:
        """Serve in a thread."""
        self._ended.clear()
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)
        self._thread.start()

    def close(self, drain_s: float = 5.0) -> bool:
        """Take no new connections, answer running requests within `drain_s`, then end. Returns
        whether all were answered."""
        self._drain_s = drain_s
        self._ending.set()
        if self._ended.is_set():
            self._close_all()  # it has never been started, or has ended already
        else:
            self._wake()
        self._ended.wait()
        if self._thread is not None:
            self._thread.join()
        return not self._cut_off

    def _run(self) -> None:
        try:
            while not self._ending.is_set():
                wasyncore.loop(timeout=ROUND_S, use_poll=True, map=self._map, count=1)
            self._drain()
        finally:
            self._close_all()
            self._ended.set()

    def _drain(self) -> None:
        for server in self._listening:
            # Not `server.close()`: that would also close the trigger with which threads that still
            # work wake this loop.
            wasyncore.dispatcher.close(server)
        deadline = time.monotonic() + self._drain_s
        while (busy := self._busy()) and time.monotonic() < deadline:
            wasyncore.loop(timeout=0.05, use_poll=True, map=self._map, count=1)
        self._cut_off = busy
        if busy:
            log.warning("http_cut_off", requests=busy)

    def _busy(self) -> int:
        """How many requests were received and are not completely answered yet."""
        channels = [c for s in self._listening for c in s.active_channels.values()]
        return sum(1 for c in channels if c.requests or c.total_outbufs_len)

    def _wake(self) -> None:
        """End the round in which the loop waits. Not after its pipes are closed: their file
        descriptors may belong to a database file by then."""
        with self._pipes:
            if not self._pipes_closed:
                for server in self._listening:
                    server.pull_trigger()

    def _close_all(self) -> None:
        self._dispatcher.shutdown(timeout=0.5)
        if self._dispatcher.threads:
            # A thread still works and will write to a pipe when it is done. So the pipes stay
            # open; the process is about to end anyway.
            return
        with self._pipes:
            self._pipes_closed = True
            for server in self._listening:
                server.trigger.close()
        wasyncore.close_all(self._map)


def _bound(host: str, port: int) -> list[socket.socket]:
    """One socket for each address of the host. waitress could do this, but if the port is taken it
    leaves its threads and pipes behind."""
    bound: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            one = socket.socket(family, kind, protocol)
            bound.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind(address)
    except OSError:
        for one in bound:
            one.close()
        raise
    return bound
