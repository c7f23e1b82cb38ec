"""Method and path to an answer: limits, then path, then session, then what the path does.

Stricter than the vendor may be in one point: a parameter that the contract does not name is
refused. A misspelt `force` that is silently ignored would turn a client's mistake into a pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.appliance.limits import CallLimit
from bot.sandbox.appliance.messages import Request, Response, refusal
from bot.sandbox.appliance.operations import Asked, NotFound, Operations
from bot.sandbox.appliance.paging import LIST_PARAMETERS, BadRequest
from bot.sandbox.appliance.sessions import Session, Sessions

Handler = Callable[[Operations, Asked], Response]


@dataclass(frozen=True)
class Route:
    """One operation of the contract; `handler` None is the log-in, which has no session yet."""

    method: str
    path: str
    handler: Handler | None
    parameters: frozenset[str] = frozenset()

    def name_in(self, path: str) -> str | None:
        """What stands for `{}` in the path ('' if it has none); None when it does not fit."""
        before, hole, after = self.path.partition("{}")
        if not hole:
            return "" if path == before else None
        if not (path.startswith(before) and path.endswith(after)):
            return None
        name = path[len(before) : len(path) - len(after)]
        return name if name and "/" not in name else None


ROUTES = (
    Route("POST", "/session", None),
    Route("GET", "/session", Operations.who_am_i),
    Route("DELETE", "/session", Operations.log_out),
    Route("GET", "/info", Operations.info),
    Route("GET", "/pairings", Operations.pairings, LIST_PARAMETERS),
    Route("GET", "/pairings/{}", Operations.pairing),
    Route("DELETE", "/pairings/{}", Operations.unpair, frozenset({"force"})),
    Route(
        "GET",
        "/pairings/{}/replications",
        Operations.replications,
        LIST_PARAMETERS | {"source_vc_guid", "extended_info"},
    ),
    Route("GET", "/pairings/{}/replications/count", Operations.replications_count),
    Route("GET", "/pairings/{}/issues", Operations.issues, LIST_PARAMETERS),
    Route("GET", "/pairings/{}/remote-session", Operations.remote_session),
    Route("POST", "/pairings/{}/remote-session", Operations.log_in_remote),
    Route("GET", "/tasks", Operations.tasks, LIST_PARAMETERS),
    Route("GET", "/tasks/{}", Operations.task),
)


class Routes:
    """The way in. Not locked: the appliance holds the lock around `answer`."""

    def __init__(
        self,
        operations: Operations,
        sessions: Sessions,
        per_session: CallLimit,
        per_address: CallLimit,
        *,
        new_op_id: Callable[[], str],
    ) -> None:
        self._operations = operations
        self._sessions = sessions
        self._per_session = per_session
        self._per_address = per_address
        self._new_op_id = new_op_id

    def answer(self, request: Request, now: float) -> Response:
        """What the appliance says to this call, its effect included."""
        wait = self._per_address.seconds_to_wait(request.remote_address, now)
        if wait is not None:
            return self._too_many(wait)
        named: dict[str, tuple[Route, str]] = {}
        for route in ROUTES if request.inside else ():
            name = route.name_in(request.path)
            if name is not None:
                named[route.method] = (route, name)
        if not named:
            return Response(404)
        if request.method not in named:
            return Response(405, headers={"Allow": ", ".join(sorted(named))})
        route, name = named[request.method]
        if route.handler is None:
            return self._log_in(request, now)
        session = self._sessions.find(request.token, now)
        if session is None:
            return Response(401)
        wait = self._per_session.seconds_to_wait(session.seq, now)
        if wait is not None:
            response = self._too_many(wait)
        else:
            response = self._operate(route, route.handler, Asked(request, session, name, now))
        response.session_seq = session.seq
        return response

    def _operate(self, route: Route, handler: Handler, asked: Asked) -> Response:
        try:
            _refuse_unknown_parameters(asked.request, route)
            return handler(self._operations, asked)
        except BadRequest as error:
            return refusal(400, "INVALID_ARGUMENT", str(error), self._new_op_id())
        except NotFound:
            return Response(404)

    def _too_many(self, seconds: int) -> Response:
        op_id = self._new_op_id()
        wait = str(seconds)
        return refusal(429, "TOO_MANY_REQUESTS", "Too many requests.", op_id, Retry_After=wait)

    def _log_in(self, request: Request, now: float) -> Response:
        session: Session | None = self._sessions.log_in(request.authorization, now)
        if session is None:
            return Response(401)
        return Response(200, {"session_id": session.token}, session_seq=session.seq)


def _refuse_unknown_parameters(request: Request, route: Route) -> None:
    unknown = sorted(set(request.query) - route.parameters)
    if unknown:
        raise BadRequest(f"Unknown parameter '{unknown[0]}'.")
