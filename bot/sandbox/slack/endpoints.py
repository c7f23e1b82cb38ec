"""The HTTP side: what comes in becomes a call, faults strike, the answer goes out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.sandbox.threaded_server import ThreadedServer

from . import api_methods, chat_methods
from .api_methods import Answer, RateLimits
from .records import ApiCall, Json
from .sockets import Sockets
from .workspace import Workspace


@dataclass
class Fault:
    """One fault; `used` tells how often it struck.

    method: a Web API method, `response_url`, or `*` for every call.
    error: Slack's error name, with HTTP 200 (or 429 when `retry_after` is there).
    status: an HTTP status with a body that is not JSON, as a broken front server sends it.
    retry_after: seconds, gives 429 with that header; `error` is then `ratelimited`.
    lost: carried out, then the connection is cut without an answer.
    hang: not carried out and never answered, until the caller hangs up or `heal()` cuts it.
    times: how often, None for as long as it is there.
    match: only calls whose arguments it accepts.
    """

    method: str
    error: str | None = None
    status: int | None = None
    retry_after: int | None = None
    lost: bool = False
    hang: bool = False
    times: int | None = 1
    match: Callable[[Json], bool] | None = None
    used: int = field(default=0, init=False)

    def fits(self, method: str, args: Json) -> bool:
        """Whether it can strike this call."""
        left = self.times is None or self.used < self.times
        if not left or self.method not in (method, "*"):
            return False
        return self.match is None or self.match(args)


class Endpoints:
    """Routes of the Web API and of the response addresses. `faults`: those that wait, oldest first;
    the server's one thread lets them strike."""

    def __init__(self, ws: Workspace, limits: RateLimits, sockets: Sockets) -> None:
        self._ws = ws
        self._limits = limits
        self._sockets = sockets
        self.faults: list[Fault] = []
        self.server: ThreadedServer | None = None

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/api/{method}", self._api, methods=["GET", "POST"]),
            Route("/commands/{team}/{number}/{secret}", self._response_url, methods=["POST"]),
            Route("/actions/{team}/{number}/{secret}", self._response_url, methods=["POST"]),
            *self._sockets.routes(),
        ]

    async def _api(self, request: Request) -> Response:
        method = request.path_params["method"]
        args, token = await _read_args(request), _token(request)

        def run() -> Answer:
            if method == "apps.connections.open":
                return self._sockets.new_address(token, str(request.base_url).rstrip("/"))
            return api_methods.call(self._ws, self._limits, method, token, args)

        return await self._serve(request, method, args, run)

    async def _response_url(self, request: Request) -> Response:
        try:
            body = json.loads(await request.body())
        except ValueError:
            body = None
        args = body if isinstance(body, dict) else None
        path = request.url.path

        def run() -> Answer:
            return Answer(*chat_methods.answer_response_url(self._ws, path, args))

        shown: Json = {**(args or {}), "response_url": path}
        return await self._serve(request, "response_url", shown, run)

    async def _serve(
        self, request: Request, method: str, args: Json, run: Callable[[], Answer]
    ) -> Response:
        fault = next((fault for fault in self.faults if fault.fits(method, args)), None)
        if fault is not None:
            fault.used += 1
        if fault is not None and fault.hang:
            self._record(method, args, None, 0, "hang")
            if self.server is not None:
                await self.server.hang(request.scope, request.receive)
            return Response()
        if fault is not None and not fault.lost:
            return self._refuse(method, args, fault)
        with self._ws.changing():
            answer = run()
            self._record(method, args, answer.body, answer.status, "lost" if fault else None)
        if fault is not None and self.server is not None:
            await self.server.cut(request.scope, request.receive)
        if method == "response_url" and answer.status == 200:
            return PlainTextResponse("ok")
        return JSONResponse(answer.body, answer.status, answer.headers)

    def _refuse(self, method: str, args: Json, fault: Fault) -> Response:
        if fault.status is not None:
            self._record(method, args, None, fault.status, "status")
            return PlainTextResponse("upstream error", fault.status)
        answer = Answer(200, {"ok": False, "error": fault.error or "ratelimited"})
        if fault.retry_after is not None:
            answer.status = 429
            answer.headers["Retry-After"] = str(fault.retry_after)
        self._record(method, args, answer.body, answer.status, "error")
        return JSONResponse(answer.body, answer.status, answer.headers)

    def _record(
        self, method: str, args: Json, response: Json | None, status: int, fault: str | None
    ) -> None:
        with self._ws.changing():
            call = ApiCall(self._ws.clock(), method, args, response, status, fault)
            self._ws.calls.append(call)


async def hung_up(request: Request, error: Exception) -> Response:
    """The caller died in the middle of its request: nothing was taken, and nobody hears this."""
    return Response()


async def _read_args(request: Request) -> Json:
    """Query and body together. `blocks` and `view` as JSON in a form are not played here: the
    method refuses the string."""
    args, raw = dict(request.query_params), await request.body()
    if raw and request.headers.get("content-type", "").startswith("application/json"):
        return {**args, **json.loads(raw)}
    return args | dict(parse_qsl(raw.decode(), keep_blank_values=True))


def _token(request: Request) -> str | None:
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    return value if kind.lower() == "bearer" and value else None
