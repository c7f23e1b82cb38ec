"""What each path of the API does, once the call has a session (vendor OpenAPI, version 2)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.sandbox.appliance import documents, paging
from bot.sandbox.appliance.messages import Request, Response, refusal
from bot.sandbox.appliance.paging import BadRequest
from bot.sandbox.appliance.sessions import Session, Sessions
from bot.sandbox.appliance.state import Estate, Pairing

_UNREACHABLE = (
    "REMOTE_SITE_UNREACHABLE",
    "The remote vSphere Replication Management Server cannot be reached.",
)
_NOT_LOGGED_IN = (
    "REMOTE_NOT_AUTHENTICATED",
    "There is no session at the remote vSphere Replication Management Server.",
)


class NotFound(LookupError):
    """Answered with an empty 404."""


@dataclass(frozen=True)
class Asked:
    """A call whose session has been found; `name` is what stands in its path for `{}`."""

    request: Request
    session: Session
    name: str
    now: float


class Operations:
    """The answers. Raises BadRequest or NotFound where the call cannot be done."""

    def __init__(
        self,
        estate: Estate,
        sessions: Sessions,
        *,
        base_url: Callable[[], str],
        new_op_id: Callable[[], str],
    ) -> None:
        self._estate = estate
        self._sessions = sessions
        self._base_url = base_url
        self._new_op_id = new_op_id

    def who_am_i(self, asked: Asked) -> Response:
        return Response(200, {"username": asked.session.username})

    def log_out(self, asked: Asked) -> Response:
        self._sessions.end(asked.session)
        return Response(204)

    def info(self, asked: Asked) -> Response:
        vcenter, vrms = self._estate.servers_of(self._estate.home)
        return self._entity(documents.info_document(vrms, vcenter))

    def pairings(self, asked: Asked) -> Response:
        found = list(self._estate.pairings.values())
        known = {pairing.id: self._remote_problem(asked, pairing) for pairing in found}
        items = [
            documents.pairing_document(pairing, remote_known=known[pairing.id] is None)
            for pairing in found
        ]
        page, numbers = self._page(items, asked.request.query)
        errors = [
            _meta_error(problem, f"$.list[{index}].remote_vrms")
            for index, item in enumerate(page)
            if (problem := known[item["pairing_id"]]) is not None
        ]
        return self._list(asked, page, numbers, errors)

    def pairing(self, asked: Asked) -> Response:
        pairing = self._pairing(asked)
        problem = self._remote_problem(asked, pairing)
        document = documents.pairing_document(pairing, remote_known=problem is None)
        return self._entity(document, [_meta_error(problem, "$.remote_vrms")] if problem else [])

    def unpair(self, asked: Asked) -> Response:
        pairing = self._pairing(asked)
        force = paging.boolean(asked.request.query, "force")
        if pairing.is_self:
            raise BadRequest("A server cannot be unpaired from itself.")
        if self._estate.board.running_for(pairing.id) is not None:
            return refusal(
                500,
                "TASK_IN_PROGRESS",
                "Another operation on this pairing is in progress.",
                self._new_op_id(),
            )
        task = self._estate.begin_unpair(
            pairing,
            force=force,
            remote_ready=self._sessions.remote_ready(asked.session, pairing.id),
            now=asked.now,
        )
        response = self._entity(documents.task_document(task))
        response.status, response.task_id = 202, task.id
        return response

    def replications(self, asked: Asked) -> Response:
        pairing = self._pairing(asked)
        query = dict(asked.request.query)
        paging.boolean(query, "extended_info")
        source = paging.single(query, "source_vc_guid")
        if source is not None:
            _check_uuid("source_vc_guid", source)
        problem = self._remote_problem(asked, pairing)
        # An outgoing replication is managed by the target, so only the remote site knows it.
        items = [
            documents.replication_document(replication, pairing)
            for replication in pairing.replications
            if problem is None or not replication.outgoing
        ]
        if source is not None:
            items = [item for item in items if item["source_vc_id"] == source.lower()]
        page, numbers = self._page(items, query)
        return self._list(asked, page, numbers, [_meta_error(problem, "$.list")] if problem else [])

    def replications_count(self, asked: Asked) -> Response:
        return self._entity({"count": len(self._pairing(asked).replications)})

    def issues(self, asked: Asked) -> Response:
        pairing = self._pairing(asked)
        problem = self._remote_problem(asked, pairing)
        items = [documents.issue_document(issue) for issue in pairing.issues]
        page, numbers = self._page(items, asked.request.query)
        return self._list(asked, page, numbers, [_meta_error(problem, "$.list")] if problem else [])

    def log_in_remote(self, asked: Asked) -> Response:
        pairing = self._pairing(asked)
        if pairing.remote_down:
            return self._remote_unreachable()
        header = asked.request.authorization
        ready = self._sessions.log_in_remote(asked.session, pairing.id, header, asked.now)
        return Response(204 if ready else 401)

    def remote_session(self, asked: Asked) -> Response:
        pairing = self._pairing(asked)
        if pairing.remote_down:
            return self._remote_unreachable()
        if not self._sessions.remote_ready(asked.session, pairing.id):
            code, message = _NOT_LOGGED_IN
            return refusal(500, code, message, self._new_op_id())
        account = self._sessions.remote or self._sessions.local
        return Response(200, {"username": account.username})

    def tasks(self, asked: Asked) -> Response:
        items = [documents.task_document(task) for task in self._estate.board.listed]
        page, numbers = self._page(items, asked.request.query)
        return self._list(asked, page, numbers, [])

    def task(self, asked: Asked) -> Response:
        for task in self._estate.board.listed:
            if task.id == asked.name:
                return self._entity(documents.task_document(task))
        raise NotFound(asked.name)

    # -- shared ----------------------------------------------------------------------------

    def _pairing(self, asked: Asked) -> Pairing:
        found = self._estate.pairings.get(asked.name)
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

    def _remote_unreachable(self) -> Response:
        return refusal(500, *_UNREACHABLE, self._new_op_id())

    @staticmethod
    def _entity(document: Mapping[str, Any], errors: Sequence[Mapping[str, str]] = ()) -> Response:
        return Response(200, {**document, "_meta": {"errors": list(errors)}})

    def _page(
        self, items: Sequence[paging.Document], query: paging.Query
    ) -> tuple[list[paging.Document], dict[str, int]]:
        return paging.cut_page(items, query, self._estate.largest_page)

    def _list(
        self,
        asked: Asked,
        page: Sequence[Mapping[str, Any]],
        numbers: Mapping[str, int],
        errors: Sequence[Mapping[str, str]],
    ) -> Response:
        url = self._base_url() + asked.request.path
        query = asked.request.query
        document = paging.list_document(page, numbers, url=url, query=query, errors=errors)
        return Response(200, document)


def _meta_error(problem: tuple[str, str], where: str) -> dict[str, str]:
    return {"code": problem[0], "message": problem[1], "field": where}


def _check_uuid(name: str, text: str) -> None:
    try:
        uuid.UUID(text)
    except ValueError as error:
        raise BadRequest(f"Parameter '{name}' must be a UUID, not '{text}'.") from error
