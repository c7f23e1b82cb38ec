"""What each path of the API answers (vendor OpenAPI, version 2): limits first, then the path, then
the session, then what the path does.

Stricter than the vendor may be in one point: a parameter that is not known here is refused. A
misspelt `force` that is silently ignored would turn a client's mistake into a pass. That goes for
filters and orders too, which are not played here (`NOT_PLAYED`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.appliance import documents
from sandbox.appliance.faults_on_demand import Request, Response, refusal
from sandbox.appliance.login_sessions import Session, Sessions
from sandbox.appliance.pairings_and_tasks import Inventory, Pairing

DEFAULT_LIMIT = 100
LIST_PARAMETERS = frozenset({"limit", "offset"})
NOT_PLAYED = frozenset(
    {"filter_property", "filter", "sort_by", "order_by", "source_vc_guid", "extended_info"}
)

_UNREACHABLE = (
    "REMOTE_SITE_UNREACHABLE",
    "The remote vSphere Replication Management Server cannot be reached.",
)
_NOT_LOGGED_IN = (
    "REMOTE_NOT_AUTHENTICATED",
    "There is no session at the remote vSphere Replication Management Server.",
)

Document = Mapping[str, Any]
Query = Mapping[str, tuple[str, ...]]


class BadRequest(ValueError):
    """The call breaks the contract: answered with 400 and this text."""


class NotFound(LookupError):
    """Answered with an empty 404."""


@dataclass(frozen=True)
class Asked:
    """A call whose session has been found; `name` is what stands in its path for `{}`."""

    request: Request
    session: Session
    name: str
    now: float


class Api:
    """The answers, their effects included. Not locked: the appliance holds the lock."""

    def __init__(self, inventory: Inventory, sessions: Sessions) -> None:
        self._inventory = inventory
        self._sessions = sessions

    def answer(self, request: Request, now: float) -> Response:
        """What the appliance says to this call."""
        wait = self._sessions.per_address.seconds_to_wait(request.remote_address, now)
        if wait is not None:
            return _too_many(wait)
        named: dict[str, tuple[Route, str]] = {}
        for route in ROUTES if request.inside else ():
            name = route.name_in(request.path)
            if name is not None:
                named[route.method] = (route, name)
        if not named:
            return Response(404)
        if request.method not in named:
            return Response(405)
        route, name = named[request.method]
        if route.handler is None:
            return self._log_in(request, now)
        session = self._sessions.find(request.token)
        if session is None:
            return Response(401)
        wait = self._sessions.per_session.seconds_to_wait(session.token, now)
        if wait is not None:
            return _too_many(wait)
        try:
            unknown = sorted(set(request.query) - route.parameters)
            if unknown:
                raise BadRequest(f"Unknown parameter '{unknown[0]}'.")
            return route.handler(self, Asked(request, session, name, now))
        except BadRequest as error:
            return refusal(400, "INVALID_ARGUMENT", str(error))
        except NotFound:
            return Response(404)

    def _log_in(self, request: Request, now: float) -> Response:
        session = self._sessions.log_in(request.authorization, now)
        if session is None:
            return Response(401)
        return Response(200, {"session_id": session.token})

    # -- one for each path -------------------------------------------------------------------

    def who_am_i(self, asked: Asked) -> Response:
        return Response(200, {"username": self._sessions.local.username})

    def info(self, asked: Asked) -> Response:
        vcenter, vrms = self._inventory.servers_of(self._inventory.home)
        return _entity(documents.info_document(vrms, vcenter))

    def pairings(self, asked: Asked) -> Response:
        found = list(self._inventory.pairings.values())
        problems = {pairing.id: self._remote_problem(asked, pairing) for pairing in found}
        items = [
            documents.pairing_document(pairing, remote_known=problems[pairing.id] is None)
            for pairing in found
        ]
        page, meta = self._page(asked, items)
        for index, item in enumerate(page):
            problem = problems[item["pairing_id"]]
            meta["errors"] += _meta_errors(problem, f"$.list[{index}].remote_vrms")
        return Response(200, {"list": page, "_meta": meta})

    def pairing(self, asked: Asked) -> Response:
        pairing = self._pairing(asked)
        problem = self._remote_problem(asked, pairing)
        document = documents.pairing_document(pairing, remote_known=problem is None)
        return _entity(document, _meta_errors(problem, "$.remote_vrms"))

    def unpair(self, asked: Asked) -> Response:
        pairing = self._pairing(asked)
        force = _boolean(asked.request.query, "force")
        if pairing.is_self:
            raise BadRequest("A server cannot be unpaired from itself.")
        if self._inventory.runs(pairing.id):
            words = "Another operation on this pairing is in progress."
            return refusal(500, "TASK_IN_PROGRESS", words)
        task = self._inventory.add_task(
            pairing_id=pairing.id,
            entity_name=f"{pairing.local_vc.name} - {pairing.remote_vc.name}",
            force=force,
            remote_ready=self._sessions.remote_ready(asked.session, pairing.id),
            now=asked.now,
        )
        response = _entity(documents.task_document(task))
        response.status, response.task_id = 202, task.id
        return response

    def replications(self, asked: Asked) -> Response:
        pairing = self._pairing(asked)
        problem = self._remote_problem(asked, pairing)
        # An outgoing replication is managed by the target, so only the remote site knows it.
        items = [
            documents.replication_document(replication, pairing)
            for replication in pairing.replications
            if problem is None or not replication.outgoing
        ]
        return self._list(asked, items, problem)

    def replications_count(self, asked: Asked) -> Response:
        return _entity({"count": len(self._pairing(asked).replications)})

    def issues(self, asked: Asked) -> Response:
        pairing = self._pairing(asked)
        return self._list(asked, pairing.issues, self._remote_problem(asked, pairing))

    def log_in_remote(self, asked: Asked) -> Response:
        pairing = self._pairing(asked)
        if pairing.remote_down:
            return refusal(500, *_UNREACHABLE)
        account = self._sessions.remote or self._sessions.local
        if not account.accepts(asked.request.authorization, asked.now):
            return Response(401)
        asked.session.remote_pairings.add(pairing.id)
        return Response(204)

    def tasks(self, asked: Asked) -> Response:
        items = [documents.task_document(task) for task in self._inventory.tasks]
        return self._list(asked, items, None)

    def task(self, asked: Asked) -> Response:
        task = self._inventory.task(asked.name)
        if task is None:
            raise NotFound(asked.name)
        return _entity(documents.task_document(task))

    # -- shared ------------------------------------------------------------------------------

    def _pairing(self, asked: Asked) -> Pairing:
        found = self._inventory.pairings.get(asked.name)
        if found is None:
            raise NotFound(asked.name)
        return found

    def _remote_problem(self, asked: Asked, pairing: Pairing) -> tuple[str, str] | None:
        """(code, message) when the remote site cannot be asked: the answer is partial then."""
        if pairing.remote_down:
            return _UNREACHABLE
        if pairing.is_self or self._sessions.remote_ready(asked.session, pairing.id):
            return None
        return _NOT_LOGGED_IN

    def _list(
        self, asked: Asked, items: Sequence[Document], problem: tuple[str, str] | None
    ) -> Response:
        page, meta = self._page(asked, items)
        meta["errors"] += _meta_errors(problem, "$.list")
        return Response(200, {"list": page, "_meta": meta})

    def _page(
        self, asked: Asked, items: Sequence[Document]
    ) -> tuple[list[Document], dict[str, Any]]:
        """(the page, its `_meta`, vendor OpenAPI, MetadataList); BadRequest for a wrong one.

        A `limit` above `largest_page` is refused; the contract names none, so None is no limit.
        Links, which nobody has to give or to follow, are not played.
        """
        query, largest = asked.request.query, self._inventory.largest_page
        limit = _whole_number(query, "limit", min(DEFAULT_LIMIT, largest or DEFAULT_LIMIT))
        if largest is not None and limit > largest:
            raise BadRequest(f"'limit' must not be more than {largest}, not {limit}.")
        if "offset" in query and "limit" not in query:
            raise BadRequest("'offset' must be used with 'limit'.")
        offset = _whole_number(query, "offset", 0)
        numbers = {"total": len(items), "offset": offset, "limit": limit}
        return list(items[offset : offset + limit]), {"errors": [], **numbers}


Handler = Callable[[Api, Asked], Response]


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
    Route("GET", "/session", Api.who_am_i),
    Route("GET", "/info", Api.info),
    Route("GET", "/pairings", Api.pairings, LIST_PARAMETERS),
    Route("GET", "/pairings/{}", Api.pairing),
    Route("DELETE", "/pairings/{}", Api.unpair, frozenset({"force"})),
    Route("GET", "/pairings/{}/replications", Api.replications, LIST_PARAMETERS),
    Route("GET", "/pairings/{}/replications/count", Api.replications_count),
    Route("GET", "/pairings/{}/issues", Api.issues, LIST_PARAMETERS),
    Route("POST", "/pairings/{}/remote-session", Api.log_in_remote),
    Route("GET", "/tasks", Api.tasks, LIST_PARAMETERS),
    Route("GET", "/tasks/{}", Api.task),
)


def _too_many(seconds: int) -> Response:
    return refusal(429, "TOO_MANY_REQUESTS", "Too many requests.", {"Retry-After": str(seconds)})


def _entity(document: Document, errors: Sequence[Document] = ()) -> Response:
    return Response(200, {**document, "_meta": {"errors": list(errors)}})


def _meta_errors(problem: tuple[str, str] | None, where: str) -> list[Document]:
    if problem is None:
        return []
    return [{"code": problem[0], "message": problem[1], "field": where}]


def _single(query: Query, name: str) -> str | None:
    """The only value of a parameter, None when absent; BadRequest when it was given twice."""
    values = query.get(name, ())
    if len(values) > 1:
        raise BadRequest(f"Parameter '{name}' was given {len(values)} times.")
    return values[0] if values else None


def _boolean(query: Query, name: str) -> bool:
    """False when absent. Only `true` and `false` are booleans: `True` is a client's mistake."""
    text = _single(query, name)
    if text not in (None, "true", "false"):
        raise BadRequest(f"Parameter '{name}' must be true or false, not '{text}'.")
    return text == "true"


def _whole_number(query: Query, name: str, default: int) -> int:
    text = _single(query, name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()):
        raise BadRequest(f"Parameter '{name}' must be a whole number, not '{text}'.")
    return int(text)
