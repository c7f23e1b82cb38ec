"""`vr-unpair demo`: the page over HTTP, until somebody stops it: three files, one stream of what is
to be seen, one address to act."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any, Self

import anyio
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from sandbox.bot_process import DidNotStart
from sandbox.page.acts import Acts, NotUnderstood, Switches
from sandbox.page.shown import Board, view_of
from sandbox.page.stage import PEOPLE, Stage
from sandbox.threaded_server import ThreadedServer

LOOK_SECONDS = 0.25
"""Between two looks at what rings no bell: the bot's database, and whether a signal came."""

PORT, PORTS_TRIED = 8080, 40

_FILES = {
    "/": ("page.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
}
_HEADERS = {
    # Nothing comes from elsewhere, and no foreign text can become a script even by a mistake.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class NoFreePort(Exception):
    """The wanted port and those behind it are taken, or may not be used."""


class Page:
    """Serves the page of one stage on 127.0.0.1, at `port` or the next free one (0: any)."""

    def __init__(self, stage: Stage, port: int = 0) -> None:
        self._stage = stage
        self._wanted = port
        self._switches = Switches(stage)
        self._acts = Acts(stage, self._switches)
        self._board = Board(stage)
        self._server: ThreadedServer | None = None

    def __enter__(self) -> Self:
        """Raises NoFreePort."""
        last = min(self._wanted + PORTS_TRIED, 65_535) if self._wanted else 0
        for port in range(self._wanted, last + 1):
            server = ThreadedServer(self._app(), port)
            try:
                server.start()
            except OSError:
                server.close()
                continue
            self._server = server
            return self
        raise NoFreePort(f"no port from {self._wanted} to {last} can be used")

    def __exit__(self, *exc: object) -> None:
        if self._server is not None:
            self._server.close()

    @property
    def port(self) -> int:
        if self._server is None:
            raise RuntimeError("the page is not served")
        return self._server.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def _app(self) -> Starlette:
        # Another site's page can be made to resolve to 127.0.0.1: only our own names are served.
        hosts = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
        return Starlette(
            routes=[
                *(Route(path, _file) for path in _FILES),
                Route("/live", self._live),
                Route("/act", self._act, methods=["POST"]),
            ],
            middleware=[hosts],
        )

    async def _act(self, request: Request) -> Response:
        # A form of another site cannot send this type without asking first.
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return PlainTextResponse("application/json is needed", 415)
        try:
            body = json.loads(await request.body())
        except ValueError:
            return PlainTextResponse("not JSON", 400)
        if not isinstance(body, dict):
            return PlainTextResponse("not an object", 400)
        try:
            return JSONResponse(await run_in_threadpool(self._acts.act, body))
        except NotUnderstood as error:
            return PlainTextResponse(f"not understood: {error}", 400)

    async def _live(self, request: Request) -> Response:
        me = request.query_params.get("me", "")
        if me not in {part.id for part in PEOPLE}:
            return PlainTextResponse("nobody of that name", 404)
        return StreamingResponse(self._stream(me), media_type="text/event-stream", headers=_HEADERS)

    async def _stream(self, me: str) -> AsyncIterator[str]:
        """Everything that `me` may see, at each change; the whole of it, so nothing is missed."""
        seen: dict[str, str] = {}
        while True:
            for name, shown in (await run_in_threadpool(self._look, me)).items():
                if seen.get(name) != shown:
                    seen[name] = shown
                    yield f"event: {name}\ndata: {shown}\n\n"
            await anyio.sleep(LOOK_SECONDS)

    def _look(self, me: str) -> dict[str, str]:
        beside: dict[str, Any] = {**self._board.as_json(), "switches": self._switches.as_json()}
        return {"view": json.dumps(view_of(self._stage.slack, me)), "board": json.dumps(beside)}


def _file(request: Request) -> Response:
    name, kind = _FILES[request.url.path]
    return Response(Path(__file__).with_name(name).read_bytes(), 200, _HEADERS, kind)


def serve(port: int = PORT) -> int:
    """Exit code: 0 when it was stopped, 1 when something did not start, said on stderr."""
    say = partial(print, flush=True)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    say("Starting a simulated appliance, a local Slack and the real bot …")
    try:
        with Stage() as stage, Page(stage, port) as page:
            if port not in (0, page.port):
                say(f"Port {port} is taken, so it is the next free one: {page.port}.")
            say(f"\n    {page.url}\n")
            say("Open it in a browser: ask as Rita, approve as Alan, watch the thread.")
            say("Nothing leaves this machine. Stop with Ctrl-C: everything started here ends.")
            # Python runs a handler in this thread, which a signal to another one does not wake.
            while not stop.wait(LOOK_SECONDS):
                pass
            say("\nStopping …")
    except DidNotStart as error:
        print(f"The bot did not start:\n{error}", file=sys.stderr)
        return 1
    except NoFreePort as error:
        print(f"The page cannot be served: {error}. Choose another with --port.", file=sys.stderr)
        return 1
    except subprocess.TimeoutExpired as error:
        print(f"The bot did not stop within {error.timeout:g} s and was killed.", file=sys.stderr)
        return 1
    say("Everything has ended.")
    return 0
