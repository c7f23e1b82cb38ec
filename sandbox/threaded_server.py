"""A uvicorn server in a thread that starts, stops, refuses and cuts connections on demand.

Under the local Slack, the simulated appliance (over TLS) and the page of the demo.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Collection
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope

_STOP_SECONDS = 5.0


class ThreadedServer:
    """Serves one application on 127.0.0.1. The port stays the same over stop and start.

    While stopped, connections are refused and the port is kept from others by a bound socket that
    does not listen. `close()` lets it go.
    """

    def __init__(self, app: ASGIApp, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._app = app
        self._tls = tls
        self._wanted_port = port
        self._reserved: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._server: _Server | None = None
        self._hanging: set[tuple[str, int]] = set()

    @property
    def port(self) -> int:
        """Raises RuntimeError before the first start."""
        if self._reserved is None:
            raise RuntimeError("it has not been started")
        port: int = self._reserved.getsockname()[1]
        return port

    @property
    def running(self) -> bool:
        return self._thread is not None

    def start(self) -> None:
        """Returns when connections are accepted. Raises RuntimeError when it cannot serve."""
        if self._thread is not None:
            return
        if self._reserved is None:
            self._reserved = _bound(self._wanted_port)
        listener = _bound(self.port)
        config = uvicorn.Config(
            self._app,
            http="h11",
            ws="websockets-sansio",
            ws_ping_interval=10.0,
            ws_ping_timeout=None,
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_keep_alive=600,
        )
        config.load()
        config.ssl = self._tls  # ready made: its certificate can be changed while it serves
        self._server = _Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="sandbox-server", daemon=True
        )
        self._thread.start()
        if not self._server.ready.wait(_STOP_SECONDS):
            self.stop()
            raise RuntimeError("it did not start")

    def stop(self) -> None:
        """Cuts every connection and ends the thread. Starting again gives the same port."""
        if self._thread is None or self._server is None:
            return
        self._server.end()
        self._thread.join(_STOP_SECONDS)
        if self._thread.is_alive():
            raise RuntimeError("its thread did not end")
        self._thread = self._server = None

    def close(self) -> None:
        """Stops and lets the port go."""
        self.stop()
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None

    def release(self) -> None:
        """Ends every hang: those connections are cut."""
        if self._server is not None:
            self._server.abort(self._hanging)

    def cut_all(self) -> None:
        """Cuts every connection that is open now, in the middle of whatever it does."""
        if self._server is not None:
            self._server.abort()

    def connection(self, client: tuple[str, int]) -> Any:
        """uvicorn's side of the connection from there. In the server's thread only; raises
        LookupError when it has ended."""
        connections = self._server.server_state.connections if self._server else ()
        for connection in connections:
            if getattr(connection, "client", None) == tuple(client):
                return connection
        raise LookupError("that connection has ended")

    async def cut(self, scope: Scope, receive: Receive) -> None:
        """Cuts the connection of this request without an answer."""
        with contextlib.suppress(LookupError):  # the caller was faster
            self.connection(scope["client"]).transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass

    async def hang(self, scope: Scope, receive: Receive) -> None:
        """Waits until the caller hangs up or `release()`."""
        self._hanging.add(tuple(scope["client"]))
        while (await receive())["type"] != "http.disconnect":
            pass
        self._hanging.discard(tuple(scope["client"]))


class _Server(uvicorn.Server):
    """uvicorn without its polling: it stops at once instead of after some tenths of a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self._end.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        self._abort(None)
        if self.server_state.tasks:
            await asyncio.wait(list(self.server_state.tasks), timeout=_STOP_SECONDS)
        for server in self.servers:
            await server.wait_closed()
        # One turn more, so that the transports' own closing callbacks have run.
        await asyncio.sleep(0)

    def end(self) -> None:
        if self._loop is not None:
            # The loop may just have ended by itself.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._end.set)

    def abort(self, clients: Collection[tuple[str, int]] | None = None) -> None:
        """The connections of these, or all, are ended when this returns."""

        async def abort() -> None:
            self._abort(clients)

        if self._loop is not None:
            asyncio.run_coroutine_threadsafe(abort(), self._loop).result(_STOP_SECONDS)

    def _abort(self, clients: Collection[tuple[str, int]] | None) -> None:
        for connection in list(self.server_state.connections):
            if clients is None or getattr(connection, "client", None) in clients:
                connection.transport.abort()


def _bound(port: int) -> socket.socket:
    # The protocol by name: asyncio sets TCP_NODELAY only then, and without it each call on a kept
    # connection costs 40 ms.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(("127.0.0.1", port))
    except OSError:
        bound.close()
        raise
    return bound
