"""The REST client of one vSphere Replication appliance.

Operations and shapes: vendor OpenAPI of the vSphere Replication REST API 2.0.0. The errors are
in `bot.appliance.errors`. There is one `Appliance` per configured appliance, shared by all threads;
`calls` makes a light object for one effect, with its priority and its deadline.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from pydantic import SecretStr

from bot.appliance.answers import Answer
from bot.appliance.budget import Budget, EffectBudget, Priority
from bot.appliance.errors import (
    GatewaysNotFound,
    NoSession,
    NoSuchPairing,
    NoSuchTask,
    NotFound,
    NotUnderstood,
    Refused,
    Unanswered,
    Unavailable,
)
from bot.appliance.http import Call, OnCall, Transport
from bot.appliance.listing import PageSizes, read_all
from bot.appliance.models import (
    Count,
    FromAppliance,
    Info,
    Issue,
    Listing,
    Pairing,
    Replication,
    Task,
)
from bot.appliance.remote import RemoteSessions
from bot.appliance.session import Credentials, Sessions
from bot.appliance.tls import Trust
from bot.appliance.wire import WARM_SECONDS
from bot.request.pairing import Presence, id_key, same_id

_log = logging.getLogger(__name__)

ACCEPTED = frozenset({202})

M = TypeVar("M", bound=FromAppliance)

_SERVERS = ("local_vc_server", "remote_vc_server", "local_vrms", "remote_vrms")
"""All that a pairing has beside its id (vendor OpenAPI, Pairing)."""


class Appliance:
    """One appliance. Thread-safe; holds its connections and its session until `close`.

    `host` is `host` or `host:port`; `base_path` such as `/api/rest/vr/v2`. Raises ValueError for
    a host that is more than that. `timeout_seconds` is for the connect and for each wait for an
    answer. `on_call(method, path_template, outcome, seconds)` is told after every HTTP call, with
    the status or the name of the error.
    """

    def __init__(
        self,
        *,
        host: str,
        username: str,
        password: SecretStr,
        remote_username: str | None,
        remote_password: SecretStr | None,
        trust: Trust,
        base_path: str,
        timeout_seconds: float,
        budget: Budget,
        user_agent: str,
        monotonic: Callable[[], float] = time.monotonic,
        on_call: OnCall | None = None,
    ) -> None:
        remote = (
            Credentials(remote_username, remote_password)
            if remote_username and remote_password
            else None
        )
        self._transport = Transport(
            host=host,
            base_path=base_path,
            trust=trust,
            timeout_seconds=timeout_seconds,
            user_agent=user_agent,
            monotonic=monotonic,
            on_call=on_call,
        )
        self._sessions = Sessions(
            self._transport,
            budget,
            Credentials(username, password),
            other_secrets=remote.secrets() if remote else (),
            monotonic=monotonic,
        )
        self._remote = RemoteSessions(self._sessions, remote, monotonic=monotonic)
        self._monotonic = monotonic
        self._page_sizes: PageSizes = {}

    def __repr__(self) -> str:
        return f"Appliance({self.host})"

    @property
    def host(self) -> str:
        """`host` or `host:port`, as configured."""
        return self._transport.host

    def calls(
        self, priority: Priority, by: float | None = None, *, calls: int = 1, later: int = 0
    ) -> Calls:
        """Calls for one effect, which must be over at the monotonic second `by`. It makes `calls`,
        log-ins aside, of which `later` belong to the effect after it (`EffectBudget`)."""
        effect = EffectBudget(self._sessions.budget, priority, calls=calls, later=later, by=by)
        return Calls(self._sessions, self._remote, self._monotonic, effect, self._page_sizes)

    def remote_calls(self, pairing_id: str | None = None) -> int:
        """How many calls the log-in at the remote site takes; None is a pairing not known yet."""
        return int(self._remote.missing(pairing_id))

    def close(self) -> None:
        """Close the connections. The session is left to end by itself."""
        self._transport.close()


class Calls:
    """Calls of one priority within one deadline.

    Every call may raise any `ApplianceError`; docstrings name only special ones. Reads log in when
    needed and are repeated once after a 401. Nothing else is repeated.
    """

    def __init__(
        self,
        sessions: Sessions,
        remote: RemoteSessions,
        monotonic: Callable[[], float],
        effect: EffectBudget,
        page_sizes: PageSizes,
    ) -> None:
        self._sessions = sessions
        self._remote = remote
        self._monotonic = monotonic
        self._effect = effect
        self._page_sizes = page_sizes

    def give_back(self) -> None:
        """The effect has failed: what it has counted and not made is free again."""
        self._effect.give_back()

    @property
    def logged_in(self) -> bool:
        """Whether there is a session. Makes no call."""
        return self._sessions.held() is not None

    def knock(self) -> None:
        """One call without a session and without credentials. Raises NotSent if the appliance
        cannot be reached or is not the trusted one; any answer is fine."""
        self._sessions.knock(self._effect)

    def log_in(self) -> None:
        """One log-in, if there is no session yet."""
        self._sessions.current(self._effect)

    def info(self) -> Info:
        """The appliance itself, with its version."""
        return self._get("/info").read(Info)

    def pairings(self) -> Listing[Pairing]:
        """All pairings; a self-pairing (the same vCenter on both sides) can be among them."""
        listing, key = Listing[Pairing], lambda item: id_key(item.pairing_id)
        return self._all("/pairings", listing, Pairing, key)

    def pairing(self, pairing_id: str) -> Pairing:
        """One pairing. Raises NoSuchPairing only when the application says that there is none."""
        answer = self._one("/pairings/{pairing_id}", NoSuchPairing, pairing_id=pairing_id)
        found = answer.read(Pairing)
        if not same_id(found.pairing_id, pairing_id):
            raise answer.not_understood("with another pairing")
        return found

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
        if any(same_id(each.pairing_id, pairing_id) for each in listed.items):
            return "there"
        if whole(listed):
            return "gone"
        if isinstance(missing, GatewaysNotFound):
            raise missing
        return "unlisted"

    def replication_count(self, pairing_id: str) -> int:
        """Incoming and outgoing replications; complete even while the remote site is down."""
        template = "/pairings/{pairing_id}/replications/count"
        return self._get(template, pairing_id=pairing_id).read(Count).count

    def replications(self, pairing_id: str) -> Listing[Replication]:
        """All replications; partial while the remote site is down."""
        template, key = "/pairings/{pairing_id}/replications", lambda item: id_key(item.id)
        listing = Listing[Replication]
        return self._all(template, listing, Replication, key, pairing_id=pairing_id)

    def issues(self, pairing_id: str) -> Listing[Issue]:
        """What the appliance itself finds wrong with the pairing."""
        template = "/pairings/{pairing_id}/issues"
        return self._all(template, Listing[Issue], Issue, lambda item: item, pairing_id=pairing_id)

    def tasks(self) -> Listing[Task]:
        """The recent tasks; an old one may be gone."""
        return self._all("/tasks", Listing[Task], Task, lambda item: id_key(item.id))

    def task(self, task_id: str) -> Task:
        """One task. Raises NoSuchTask only when the application says that there is none."""
        answer = self._one("/tasks/{task_id}", NoSuchTask, task_id=task_id)
        found = answer.read(Task)
        if not same_id(found.id, task_id):
            raise answer.not_understood("with another task")
        return found

    def ensure_remote_session(self, pairing_id: str) -> None:
        """Log in to the remote site, where remote credentials are configured.

        Raises LoginRefused(which="remote"), without a call for 5 minutes after a refusal.
        """
        self._remote.ensure(pairing_id, self._effect)

    def prepare_delete(self, pairing_id: str) -> None:
        """Everything that a DELETE needs before its intent is stored: connection, log-ins, budget.

        That the remote site is down and cannot be logged in to does not stop it: the appliance
        itself will say whether it can do without. Raises OverBudget, LoginRest, LoginRefused and
        every other error that shows that the DELETE cannot be sent now.
        """
        self._warm_up()
        try:
            self._remote.ensure(pairing_id, self._effect, wait_again=False)
        except (Refused, NotFound, NotUnderstood, Unavailable, Unanswered) as exc:
            # It is the remote side: not our credentials, our limit or the way to the appliance.
            about = {"pairing": pairing_id, "words": str(exc), "op_id": exc.op_id}
            _log.warning("remote_session_not_made", extra=about)

    def delete_pairing(self, pairing_id: str, *, force: bool, send_by: float) -> Task:
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
        session = self._sessions.held()
        if session is None or not self._remote.ready(session, pairing_id):
            raise NoSession(
                "The session ended before the DELETE could be sent.",
                method=call.method,
                path=call.path,
            )
        try:
            answer = self._sessions.send(
                call, session, expect=ACCEPTED, by=self._effect.by, send_by=send_by
            )
        except NotFound as exc:
            raise NoSuchPairing.by(exc) from None
        return answer.read(Task)

    def _get(self, template: str, query: Mapping[str, str] | None = None, **ids: str) -> Answer:
        call = Call.of("GET", template, query, **ids)
        return self._sessions.read(call, self._effect)

    def _one(self, template: str, none: type[NotFound], **ids: str) -> Answer:
        """What has this id. Raises `none` after the application's own 404 to this very question."""
        path = template
        try:
            call = Call.of("GET", template, None, **ids)
            path = call.path
            return self._sessions.read(call, self._effect)
        except NotFound as exc:
            missing = exc
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
        listing: type[Listing[M]],
        model: type[M],
        identity: Callable[[M], object],
        **ids: str,
    ) -> Listing[M]:
        """A whole list, its pages counted together as soon as it is known how many there are."""
        return read_all(
            lambda query: self._get(template, query, **ids),
            listing,
            model,
            identity,
            expect=self._effect.expect,
            sizes=self._page_sizes,
            name=template,
        )

    def _warm_up(self) -> None:
        """Make sure that there is a connection that works for the DELETE. If another thread takes
        it, the DELETE gets a new one rather than one that was idle (`bot.appliance.wire`)."""
        session = self._sessions.current(self._effect)
        answered_at = session.answered_at
        if answered_at is not None and self._monotonic() < answered_at + WARM_SECONDS:
            return
        try:
            # This also finds out if the session has ended: better now than with the DELETE.
            self._get("/session")
        except (Refused, NotFound):
            # The application answered, so the connection works.
            return


def whole(listed: Listing[Pairing]) -> bool:
    """Whether the list can miss no pairing. An error about a server does not mean that: it says
    that less is known of a listed pairing, as for each remote site that is away or not logged in to
    (vendor OpenAPI, GET /pairings, PARTIAL_DATA; MetaError, `field`). If it counted, no name would
    be understood just when a one-sided break is wanted, and no pairing could be told to be gone."""
    return all(any(name in (e.field or "") for name in _SERVERS) for e in listed.errors)
