"""The HTTP side: what comes in becomes a call, faults strike, the answer goes out."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from . import response_url, web_api
from .faults import Fault, Faults
from .rate_limits import RateLimits
from .records import ApiCall, Json
from .server import ThreadedServer
from .sockets import Sockets
from .web_api import Answer
from .workspace import Workspace


class Endpoints:
    """Routes of the Web API and of the response addresses. `down_status` answers everything."""

    def __init__(self, ws: Workspace, limits: RateLimits, faults: Faults, sockets: Sockets) -> None:
        self._ws = ws
        self._sockets = sockets
        self._limits = limits
        self._faults = faults
        self.down_status: int | None = None
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
        args, problem = await _read_args(request)
        token = _token(request, args)
        args = web_api.decode_args(args)

        def run() -> Answer:
            if problem is not None:
                return Answer(200, {"ok": False, "error": problem})
            if method == "apps.connections.open":
                return self._sockets.new_address(token, str(request.base_url).rstrip("/"))
            return web_api.call(self._ws, self._limits, method, token, args)

        return await self._serve(request, method, args, run)

    async def _response_url(self, request: Request) -> Response:
        try:
            body = json.loads(await request.body())
        except ValueError:
            body = None
        args = body if isinstance(body, dict) else None
        path = request.url.path
        shown: Json = {**(args or {}), "response_url": path}
        return await self._serve(
            request,
            "response_url",
            shown,
            lambda: response_url.answer(self._ws, path, args),
        )

    async def _serve(
        self, request: Request, method: str, args: Json, run: Callable[[], Answer]
    ) -> Response:
        if self.down_status is not None:
            self._record(method, args, None, self.down_status, "down")
            return PlainTextResponse("", self.down_status)
        fault = self._faults.strike(method, args)
        if fault is not None and fault.kind == "hang":
            self._record(method, args, None, 0, "hang")
            if self.server is not None:
                await self.server.hang(request.scope, request.receive)
            return Response()
        if fault is not None and not fault.lost:
            return self._refuse(method, args, fault)
        with self._ws.changing():
            answer = run()
            self._record(method, args, answer.body, answer.status, fault.kind if fault else None)
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


async def _read_args(request: Request) -> tuple[Json, str | None]:
    """Query and body together, and Slack's name for a body that cannot be read."""
    args: Json = dict(request.query_params)
    raw = await request.body()
    if not raw:
        return args, None
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            body = json.loads(raw)
        except ValueError:
            return args, "invalid_json"
        if not isinstance(body, dict):
            return args, "json_not_object"
        return {**args, **body}, None
    try:
        form = parse_qsl(raw.decode(), keep_blank_values=True)
    except ValueError:
        return args, "invalid_form_data"
    return {**args, **dict(form)}, None


def _token(request: Request, args: Json) -> str | None:
    """Header or argument; it is taken out of the arguments so that no record holds it."""
    token = args.pop("token", None)
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and value:
        return value
    return str(token) if token else None
