"""The calls of the vSphere Replication REST API that this bot makes.

Operations and shapes: vendor OpenAPI of the vSphere Replication REST API 2.0.0. What a call can
fail with is in `bot.appliance.errors`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import TypeVar

from bot.appliance import models
from bot.appliance.answers import Answer
from bot.appliance.budget import EffectBudget
from bot.appliance.connection import WARM_SECONDS
from bot.appliance.credentials import Credentials
from bot.appliance.errors import (
    Answered,
    GatewaysNotFound,
    NoSession,
    NoSuchPairing,
    NoSuchTask,
    NotFound,
    NotUnderstood,
    Refused,
    Unanswered,
    Unauthorized,
    Unavailable,
)
from bot.appliance.http import Call
from bot.appliance.listing import Listing, MetaError, PageSizes, read_all
from bot.appliance.models import Found, Replicated
from bot.appliance.session import Sessions
from bot.request.model import TaskView
from bot.request.pairing import IssueLine, Pairing, Presence, Server, id_key, same_id

_log = logging.getLogger(__name__)

ACCEPTED = frozenset({202})

T = TypeVar("T")
One = TypeVar("One", Pairing, TaskView)

_SERVERS = ("local_vc_server", "remote_vc_server", "local_vrms", "remote_vrms")
"""All that a pairing has beside its id (vendor OpenAPI, Pairing)."""


class Calls:
    """The calls of one effect, within its budget and its deadline. For one thread.

    Every call may raise any `ApplianceError`; docstrings name only special ones. Reads log in when
    needed and are repeated once after a 401. Nothing else is repeated.
    """

    def __init__(
        self,
        sessions: Sessions,
        effect: EffectBudget,
        page_sizes: PageSizes,
        monotonic: Callable[[], float],
    ) -> None:
        self.effect = effect
        self._sessions = sessions
        self._page_sizes = page_sizes
        self._monotonic = monotonic

    @property
    def logged_in(self) -> bool:
        """Whether there is a session. Makes no call."""
        return self._sessions.held is not None

    @property
    def user(self) -> Credentials:
        """Who would log in now."""
        return self._sessions.secrets(at_once=True).local

    def knock(self) -> None:
        """One call without a session and without credentials. Raises NotSent if the appliance
        cannot be reached or is not the trusted one; any answer is fine."""
        self.effect.pay()
        try:
            self._sessions.send(Call.of("GET", "/session"), None, by=self.effect.by)
        except (Answered, Unanswered):
            # It was sent, so a trusted server is there. What is wrong with it the log-in will say.
            return

    def log_in(self) -> None:
        """One log-in, if there is no session yet."""
        self._sessions.current(self.effect)

    def info(self) -> Server:
        """The appliance itself, with its version."""
        return self._get(Call.of("GET", "/info")).read(models.server)

    def pairings(self) -> Listing[Pairing]:
        """All pairings; a self-pairing (the same vCenter on both sides) can be among them."""
        return self._all("/pairings", models.pairing, lambda item, _: id_key(item.id))

    def pairing(self, pairing_id: str) -> Pairing:
        """One pairing. Raises NoSuchPairing only when the application says that there is none."""
        template = "/pairings/{pairing_id}"
        return self._one(template, models.pairing, NoSuchPairing, pairing_id=pairing_id)

    def presence(self, pairing_id: str) -> Presence:
        """Whether the pairing is there, by its id and then, after a 404, by the list."""
        try:
            self.pairing(pairing_id)
        except (NoSuchPairing, GatewaysNotFound) as missing:
            return self.listed_after(missing, pairing_id)
        return "there"

    def listed_after(self, missing: NoSuchPairing | GatewaysNotFound, pairing_id: str) -> Presence:
        """What the list of pairings says after this 404. Raises `missing` if it was a gateway's and
        the list is not whole: nothing is known then."""
        listed = self.pairings()
        if any(same_id(each.id, pairing_id) for each in listed.items):
            return "there"
        if not hiding(listed):
            return "gone"
        if isinstance(missing, GatewaysNotFound):
            raise missing
        return "unlisted"

    def replication_count(self, pairing_id: str) -> int:
        """Incoming and outgoing replications; complete even while the remote site is down."""
        template = "/pairings/{pairing_id}/replications/count"
        return self._get(Call.of("GET", template, pairing_id=pairing_id)).read(models.count)

    def replications(self, pairing_id: str) -> Listing[Replicated]:
        """All replications; partial while the remote site is down."""
        template = "/pairings/{pairing_id}/replications"
        return self._all(
            template, models.replicated, lambda item, _: item.id, pairing_id=pairing_id
        )

    def issues(self, pairing_id: str) -> Listing[IssueLine]:
        """What the appliance itself finds wrong with the pairing. An issue has no id: all that the
        appliance tells of it tells it from another one."""
        template = "/pairings/{pairing_id}/issues"
        return self._all(
            template, models.issue, lambda _, entry: json.dumps(entry), pairing_id=pairing_id
        )

    def tasks(self) -> tuple[TaskView, ...]:
        """The recent tasks; an old one may be gone. Raises NotUnderstood for a partial list: a task
        that is missing from it would count as gone, and later, when it is listed again, as new."""
        listed = self._all("/tasks", models.task, lambda item, _: item.id)
        if listed.partial:
            raise NotUnderstood("The appliance's list of tasks is incomplete by its own word.")
        return listed.items

    def task(self, task_id: str) -> TaskView | None:
        """One task; None only when the application says that there is none."""
        try:
            return self._one("/tasks/{task_id}", models.task, NoSuchTask, task_id=task_id)
        except NoSuchTask:
            return None

    def ensure_remote_session(self, pairing_id: str) -> None:
        """Log in to the remote site, where remote credentials are configured.

        Raises LoginRefused(which="remote"), without a call for 5 minutes after a refusal.
        """
        self._sessions.log_in_remote(pairing_id, self.effect)

    def prepare_delete(self, pairing_id: str) -> None:
        """Everything that a DELETE needs before its intent is stored: connection, log-ins, budget.

        That the remote site is down and cannot be logged in to does not stop it: the appliance
        itself will say whether it can do without. Raises OverBudget, LoginRest, LoginRefused and
        every other error that shows that the DELETE cannot be sent now.
        """
        # A connection that works. If another thread takes it, the DELETE gets a new one rather than
        # one that was idle (`bot.appliance.connection`).
        answered_at = self._sessions.current(self.effect).answered_at
        if answered_at is None or self._monotonic() >= answered_at + WARM_SECONDS:
            # This also finds out if the session has ended: better now than with the DELETE.
            with suppress(Refused, NotFound):  # the application answered, so the connection works
                self._get(Call.of("GET", "/session"))
        try:
            self._sessions.log_in_remote(pairing_id, self.effect, wait_again=False)
        except (Refused, NotFound, NotUnderstood, Unavailable, Unanswered) as exc:
            # It is the remote side: not our credentials, our limit or the way to the appliance.
            about = {"pairing": pairing_id, "words": str(exc), "op_id": exc.op_id}
            _log.warning("remote_session_not_made", extra=about)

    def delete_pairing(self, pairing_id: str, *, force: bool, send_by: float) -> TaskView:
        """Break the pairing: exactly one DELETE, after `prepare_delete`.

        Never repeated, never logs in, takes no budget. After the monotonic second `send_by` not a
        byte leaves any more (TooLate). NotSent, Unauthorized, NoSuchPairing, Limited and
        Unavailable mean that it was not accepted. After Unanswered, NotUnderstood and Refused(500)
        nobody knows. Returns the task of a 202.
        """
        call = Call.of(
            "DELETE",
            "/pairings/{pairing_id}",
            {"force": "true" if force else "false"},
            pairing_id=pairing_id,
        )
        session = self._sessions.held
        if session is None or not self._sessions.ready(session, pairing_id):
            sentence = "The session ended before the DELETE could be sent."
            raise NoSession(sentence, method=call.method, path=call.path)
        try:
            answer = self._sessions.send(
                call, session, expect=ACCEPTED, by=self.effect.by, send_by=send_by
            )
        except NotFound as exc:
            answered = exc
        else:
            return answer.read(models.task)
        raise NoSuchPairing(
            str(answered),
            method=call.method,
            path=call.path,
            status=answered.status,
            body_excerpt=answered.body_excerpt,
        )

    def _get(self, call: Call) -> Answer:
        """A call that changes nothing: repeated once, after a new log-in, on a 401."""
        again = True
        while True:
            session = self._sessions.current(self.effect)
            self._sessions.transport.require_time(call, self.effect.by)
            self.effect.pay()
            try:
                return self._sessions.send(call, session, by=self.effect.by)
            except Unauthorized:
                if not again:
                    raise
                again = False

    def _one(
        self, template: str, read: Callable[[Found], One], none: type[NotFound], **ids: str
    ) -> One:
        """What has this id. Raises `none` after the application's own 404 to this very question."""
        path = template
        try:
            call = Call.of("GET", template, None, **ids)
            path = call.path
            answer = self._get(call)
        except NotFound as exc:
            missing = exc
        else:
            found = answer.read(read)
            for name, asked in ids.items():
                if not same_id(found.id, asked):
                    raise answer.not_understood(f"with another {name.removesuffix('_id')}")
            return found
        if missing.path != path:
            raise missing  # the log-in before it was answered so: nobody asked this question
        if not missing.body_excerpt:
            raise none(str(missing), method="GET", path=path, status=missing.status)
        raise GatewaysNotFound(
            f"{self._sessions.transport.host} answered GET {path} with 404, in words that are not"
            " its own: probably a gateway's, while the service behind it starts.",
            method="GET",
            path=path,
            status=missing.status,
            body_excerpt=missing.body_excerpt,
        )

    def _all(
        self,
        template: str,
        read: Callable[[Found], T],
        key: Callable[[T, object], Hashable],
        **ids: str,
    ) -> Listing[T]:
        """A whole list, its pages counted together as soon as it is known how many there are."""
        return read_all(
            lambda query: self._get(Call.of("GET", template, query, **ids)),
            read,
            key,
            expect=self.effect.expect,
            sizes=self._page_sizes,
            name=template,
        )


def hiding(listed: Listing[Pairing]) -> tuple[MetaError, ...]:
    """Why the list may miss a pairing; empty if it can miss none. An error about a server does not
    mean that: it says that less is known of a listed pairing, as for each remote site that is away
    or not logged in to (vendor OpenAPI, GET /pairings, PARTIAL_DATA; MetaError, `field`). If it
    counted, no name would be understood just when a one-sided break is wanted, and no pairing could
    be told to be gone."""
    return tuple(e for e in listed.errors if not any(name in (e.field or "") for name in _SERVERS))
