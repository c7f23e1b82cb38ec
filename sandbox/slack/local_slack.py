"""The local Slack as tests and the demo use it: a workspace behind a server, who and what is in it,
and what goes wrong on demand."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sandbox.threaded_server import ThreadedServer

from . import api_methods, chat_methods
from .api_methods import Answer, RateLimits
from .person_acts import PersonActs
from .records import ApiCall, Channel, Group, Json, Person
from .signed_requests import Courier
from .sockets import Sockets
from .workspace import Workspace

_SIGNING_SECRET = "local-sandbox-signing-secret-0001"  # noqa: S105 - of the sandbox alone


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


class LocalSlack(PersonActs):
    """A workspace behind a real HTTP server on 127.0.0.1.

    command: the app's slash command, and its bot's name without the slash. clock: epoch seconds,
    for message times, rate limits, triggers and response addresses; signatures use real time.
    rate_limits: Slack's own, or none.
    """

    def __init__(
        self,
        *,
        command: str = "/vr-unpair",
        clock: Callable[[], float] = time.time,
        rate_limits: bool = True,
    ) -> None:
        workspace = Workspace(clock, command)
        self.signing_secret = _SIGNING_SECRET
        super().__init__(workspace, Courier(self.signing_secret), Sockets(workspace))
        self.bot_token, self.app_token = workspace.bot_token, workspace.app_token
        self.app_id, self.bot_user_id = workspace.app_id, workspace.bot_user_id
        self.team_id = workspace.team_id
        self._limits = RateLimits(clock, rate_limits)
        # Those that wait, oldest first; the server's one thread lets them strike.
        self._faults: list[Fault] = []
        routes = [
            Route("/api/{method}", self._api, methods=["GET", "POST"]),
            Route("/{kind}/{team}/{number}/{secret}", self._response_url, methods=["POST"]),
            *self.sockets.routes(),
        ]
        app = Starlette(routes=routes, exception_handlers={ClientDisconnect: _hung_up})
        self._server = self.sockets.server = ThreadedServer(app)

    def start(self) -> Self:
        """Returns when connections are accepted."""
        self._server.start()
        return self

    def stop(self) -> None:
        """Ends the server and its thread, and lets the port go. Data stays readable."""
        self._server.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def api_url(self) -> str:
        """For `SLACK_API_URL`, with the slash at the end."""
        return f"{self.base_url}/api/"

    # -- who and what is there -----------------------------------------------------------------

    def add_person(
        self, name: str, *, id: str | None = None, team_id: str | None = None, **more: Any
    ) -> str:
        """A user id. Without `team_id` the person belongs to this workspace (and its grid). `more`
        is what Person takes."""
        ws = self.workspace
        with ws.changing():
            if team_id is None:
                more = {"enterprise_id": ws.enterprise_id, **more}
            person = Person(id or ws.new_id("U"), name, team_id or ws.team_id, **more)
            ws.people[person.id] = person
            return person.id

    def deactivate(self, user: str) -> None:
        """The account is closed; user groups still list it."""
        with self.workspace.changing():
            self.workspace.people[user].deleted = True

    def add_channel(self, name: str, *, id: str | None = None, **more: Any) -> str:
        """A channel id. Everyone is a member, and the bot unless told otherwise; `more` is what
        Channel takes."""
        with self.workspace.changing():
            channel = Channel(id or self.workspace.new_id("C"), name, **more)
            self.workspace.channels[channel.id] = channel
            return channel.id

    def set_channel(
        self, channel: str, *, bot_is_member: bool | None = None, archived: bool | None = None
    ) -> None:
        """Invites or removes the bot, archives or restores the channel."""
        with self.workspace.changing():
            place = self.workspace.channels[channel]
            place.bot_is_member = place.bot_is_member if bot_is_member is None else bot_is_member
            place.archived = place.archived if archived is None else archived

    def add_group(self, handle: str, members: Iterable[str], *, id: str | None = None) -> str:
        """A user group id."""
        with self.workspace.changing():
            group = Group(id or self.workspace.new_id("S"), handle, list(members))
            self.workspace.groups[group.id] = group
            return group.id

    def set_group(self, group: str, members: Iterable[str], *, disabled: bool = False) -> None:
        """Other members from now on, or the group switched off."""
        with self.workspace.changing():
            self.workspace.groups[group].members = list(members)
            self.workspace.groups[group].disabled = disabled

    def post_as(self, user: str, channel: str, text: str) -> str:
        """A person's own message; its `ts`."""
        ws = self.workspace
        with ws.changing():
            return ws.add_message(channel, text, [], user=user, thread_ts=None).ts

    def delete_message(self, channel: str, ts: str) -> None:
        """Somebody deletes a message: edits answer `message_not_found` then."""
        ws = self.workspace
        with ws.changing():
            ws.edit_message(ws.messages[channel, ts], deleted=True)

    def rotate(
        self,
        *,
        bot_token: str | None = None,
        signing_secret: str | None = None,
        app_token: str | None = None,
    ) -> None:
        """These are right from now on, and those of before are not; connections of Socket Mode stay
        open."""
        ws = self.workspace
        with ws.changing():
            ws.revoked |= {ws.bot_token} if bot_token else set()
            ws.revoked |= {ws.app_token} if app_token else set()
            self.bot_token = ws.bot_token = bot_token or ws.bot_token
            self.app_token = ws.app_token = app_token or ws.app_token
            self.signing_secret = signing_secret or self.signing_secret
            self.courier.signing_secret = self.signing_secret

    # -- what goes wrong on demand -------------------------------------------------------------

    def fail(self, method: str, **how: Any) -> Fault:
        """The next calls of this method fail; `how` is what Fault takes."""
        fault = Fault(method, **how)
        self._faults.append(fault)
        return fault

    def heal(self) -> None:
        """No faults any more; calls that hang are cut."""
        self._faults.clear()
        self._server.release()

    def down(self, is_down: bool = True) -> None:
        """Connections are refused, and those open are cut."""
        if is_down:
            self._server.stop()
        else:
            self._server.start()

    # -- the HTTP side, in the server's thread -------------------------------------------------

    async def _api(self, request: Request) -> Response:
        method = request.path_params["method"]
        args, token = await _read_args(request), _token(request)

        def run() -> Answer:
            if method == "apps.connections.open":
                return self.sockets.new_address(token, str(request.base_url).rstrip("/"))
            return api_methods.call(self.workspace, self._limits, method, token, args)

        return await self._serve(request, method, args, run)

    async def _response_url(self, request: Request) -> Response:
        try:
            body = json.loads(await request.body())
        except ValueError:
            body = None
        args = body if isinstance(body, dict) else None
        path = request.url.path

        def run() -> Answer:
            return Answer(*chat_methods.answer_response_url(self.workspace, path, args))

        shown: Json = {**(args or {}), "response_url": path}
        return await self._serve(request, "response_url", shown, run)

    async def _serve(
        self, request: Request, method: str, args: Json, run: Callable[[], Answer]
    ) -> Response:
        fault = next((fault for fault in self._faults if fault.fits(method, args)), None)
        if fault is not None:
            fault.used += 1
        if fault is not None and fault.hang:
            self._record(method, args, None, 0, "hang")
            await self._server.hang(request.scope, request.receive)
            return Response()
        if fault is not None and not fault.lost:
            return self._refuse(method, args, fault)
        with self.workspace.changing():
            answer = run()
            self._record(method, args, answer.body, answer.status, "lost" if fault else None)
        if fault is not None:
            await self._server.cut(request.scope, request.receive)
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
        with self.workspace.changing():
            at = self.workspace.clock()
            self.workspace.calls.append(ApiCall(at, method, args, response, status, fault))


async def _hung_up(request: Request, error: Exception) -> Response:
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
