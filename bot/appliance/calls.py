"""The calls of the vSphere Replication REST API that this bot makes.

Operations and shapes: vendor OpenAPI of the vSphere Replication REST API 2.0.0. What an answer
means is in `bot.appliance.http_answers`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

from bot.appliance import models
from bot.appliance.budget import EffectBudget
from bot.appliance.http_answers import Answer, Call, CallError, GatewaysNotFound
from bot.appliance.listing import Listing, MetaError, read_all
from bot.appliance.models import Found
from bot.appliance.session import REMOTE_AWAY, Credentials, Sessions
from bot.request.pairing import IssueLine, Pairing, Presence, Replication, Server, id_key, same_id
from bot.request.problem import ProblemKind
from bot.request.task import TaskView

_log = logging.getLogger(__name__)

ACCEPTED = frozenset({202})

T = TypeVar("T")
One = TypeVar("One", Pairing, TaskView)

_SERVERS = ("local_vc_server", "remote_vc_server", "local_vrms", "remote_vrms")
"""All that a pairing has beside its id (vendor OpenAPI, Pairing)."""


class Calls:
    """The calls of one effect, within its budget and its time. For one thread.

    Every call may raise a `CallError` of any kind; docstrings name only special ones. Reads log in
    when needed and are repeated once after a 401. Nothing else is repeated.
    """

    def __init__(self, sessions: Sessions, effect: EffectBudget) -> None:
        self.effect = effect
        self._sessions = sessions

    @property
    def logged_in(self) -> bool:
        """Whether there is a session. Makes no call."""
        return self._sessions.held is not None

    @property
    def user(self) -> Credentials:
        """Who would log in now."""
        return self._sessions.secrets(at_once=True).local

    def knock(self) -> None:
        """Make a connection, and send nothing on it. Raises UNSENT if the appliance cannot be
        reached or is not the trusted one."""
        call = Call.of("GET", "/session")
        self._sessions.transport.open(call, self.effect.by)
        self._sessions.transport.close_opened(call)

    def log_in(self) -> None:
        """One log-in, if there is no session yet."""
        self._sessions.current(self.effect)

    def info(self) -> Server:
        """The appliance itself, with its version."""
        return self._get("/info").read(models.server)

    def pairings(self) -> Listing[Pairing]:
        """All pairings; a self-pairing (the same vCenter on both sides) can be among them."""
        return self._all("/pairings", models.pairing, lambda item: id_key(item.id))

    def pairing(self, pairing_id: str) -> Pairing:
        """One pairing. Raises NOT_FOUND only when the application says that there is none. No other
        404 counts, such as a log-in's or a gateway's: if it were taken for "gone", the bot would
        report a deletion that did not happen. Nor is this one the proof: the list of pairings has
        to agree (`bot.request.pairing.Presence`)."""
        return self._one("/pairings/{pairing_id}", models.pairing, pairing_id=pairing_id)

    def pairing_or_presence(self, pairing_id: str) -> Pairing | Presence:
        """The pairing by its id; after a 404 what the list says, which is read then. Raises what a
        gateway's 404 was where the list is not whole either: nothing is known then."""
        try:
            return self.pairing(pairing_id)
        except CallError as error:
            gateways = isinstance(error, GatewaysNotFound)
            if error.kind is not ProblemKind.NOT_FOUND and not gateways:
                raise
            missing = error
        listed = self.pairings()
        if any(same_id(each.id, pairing_id) for each in listed.items):
            return "there"
        if not hiding(listed):
            return "gone"
        if gateways:
            raise missing
        return "unlisted"

    def presence(self, pairing_id: str) -> Presence:
        found = self.pairing_or_presence(pairing_id)
        return "there" if isinstance(found, Pairing) else found

    def replication_count(self, pairing_id: str) -> int:
        """Incoming and outgoing replications; complete even while the remote site is down."""
        template = "/pairings/{pairing_id}/replications/count"
        return self._get(template, pairing_id=pairing_id).read(models.count)

    def replications(self, pairing_id: str) -> Listing[Replication]:
        """All replications; partial while the remote site is down."""
        path = "/pairings/{pairing_id}/replications"
        return self._all(path, models.replication, lambda item: item.id, pairing_id=pairing_id)

    def issues(self, pairing_id: str) -> Listing[IssueLine]:
        """What the appliance itself finds wrong with the pairing. An issue has no id."""
        path = "/pairings/{pairing_id}/issues"
        return self._all(path, models.issue, lambda item: item, pairing_id=pairing_id)

    def tasks(self) -> tuple[TaskView, ...]:
        """The recent tasks; an old one may be gone. Raises for a partial list: a task that is
        missing from it would count as gone, and later, when it is listed again, as new."""
        listed = self._all("/tasks", models.task, lambda item: item.id)
        if listed.partial:
            words = "The appliance's list of tasks is incomplete by its own word."
            raise CallError(ProblemKind.NOT_UNDERSTOOD, words)
        return listed.items

    def task(self, task_id: str) -> TaskView | None:
        """One task; None only when the application says that there is none."""
        try:
            return self._one("/tasks/{task_id}", models.task, task_id=task_id)
        except CallError as exc:
            if exc.kind is not ProblemKind.NOT_FOUND:
                raise
            return None

    def ensure_remote_session(self, pairing_id: str) -> None:
        """Log in to the remote site, where remote credentials are configured. After a refusal it
        raises LOGIN_REFUSED for 5 minutes without a call."""
        self._sessions.log_in_remote(pairing_id, self.effect)

    def prepare_delete(self, pairing_id: str) -> None:
        """Every log-in that a DELETE needs, and its connection, before its intent is stored. Raises
        whatever shows that the DELETE cannot be sent now.

        A remote site that is away does not stop it, and is not waited for again where the reading
        before has done so: the appliance itself will say whether it can do without."""
        session = self._sessions.current(self.effect)
        if not self._sessions.ready(session, pairing_id):
            try:
                self._sessions.log_in_remote(pairing_id, self.effect)
            except CallError as exc:
                if exc.kind not in REMOTE_AWAY:
                    raise
                about = {"pairing": pairing_id, "words": str(exc), "op_id": exc.op_id}
                _log.warning("remote_session_not_made", extra=about)
        self._sessions.transport.open(delete_of(pairing_id), self.effect.by)

    def delete_pairing(self, pairing_id: str, *, force: bool, send_by: float) -> TaskView:
        """Break the pairing: exactly one DELETE, after `prepare_delete`.

        Never repeated, never logs in, takes no budget. After the monotonic second `send_by` not a
        byte leaves any more. What an error means for it: `http_answers.NOT_ACCEPTED`. Returns the
        task of a 202.
        """
        call = delete_of(pairing_id, {"force": "true" if force else "false"})
        session = self._sessions.held
        if session is None or not self._sessions.ready(session, pairing_id):
            sentence = "The session ended before the DELETE could be sent."
            raise CallError(ProblemKind.UNSENT, sentence)
        answer = self._sessions.send(
            call, session, expect=ACCEPTED, by=self.effect.by, send_by=send_by
        )
        return answer.read(models.task)

    def _get(self, template: str, query: Mapping[str, str] | None = None, **ids: str) -> Answer:
        """A call that changes nothing: repeated once, after a new log-in, on a 401."""
        call, again = Call.of("GET", template, query, **ids), True
        while True:
            session = self._sessions.current(self.effect)
            self.effect.pay()
            try:
                return self._sessions.send(call, session, by=self.effect.by)
            except CallError as exc:
                if exc.kind is not ProblemKind.UNAUTHORIZED or not again:
                    raise
                again = False

    def _one(self, template: str, read: Callable[[Found], One], **ids: str) -> One:
        """What has this id. Raises NOT_FOUND after the application's own 404."""
        answer = self._get(template, None, **ids)
        found = answer.read(read)
        for name, asked in ids.items():
            if not same_id(found.id, asked):
                raise answer.not_understood(f"with another {name.removesuffix('_id')}")
        return found

    def _all(
        self,
        template: str,
        read: Callable[[Found], T],
        key: Callable[[T], Hashable],
        **ids: str,
    ) -> Listing[T]:
        """A whole list, its pages counted together as soon as it is known how many there are."""
        return read_all(
            lambda query: self._get(template, query, **ids), read, key, expect=self.effect.expect
        )


def delete_of(pairing_id: str, query: Mapping[str, str] | None = None) -> Call:
    return Call.of("DELETE", "/pairings/{pairing_id}", query, pairing_id=pairing_id)


def hiding(listed: Listing[Pairing]) -> tuple[MetaError, ...]:
    """Why the list may miss a pairing; empty if it can miss none. An error about a server does not
    mean that: it says that less is known of a listed pairing, as for each remote site that is away
    or not logged in to (vendor OpenAPI, GET /pairings, PARTIAL_DATA; MetaError, `field`). If it
    counted, no name would be understood just when a one-sided break is wanted, and no pairing could
    be told to be gone."""
    return tuple(e for e in listed.errors if not any(name in (e.field or "") for name in _SERVERS))
