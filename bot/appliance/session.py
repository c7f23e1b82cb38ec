"""The sessions with an appliance: made when needed, shared by all threads, never stored.

Source: vendor OpenAPI. `POST /session` with Basic auth gives `session_id`, which every later call
carries as `x-dr-session`. How long it lives is not documented, so the only sign of its end is a
401; a read then logs in again once and is repeated once, and that is all: SSO locks accounts.

Where the remote vCenter has an SSO of its own, the remote site's user is logged in as well: `POST
/pairings/{pairing_id}/remote-session` with Basic auth, 204. That session belongs to the local one.

Secrets may change while the bot runs: passwords expire, certificates are replaced, and nobody
restarts a bot then.
"""

from __future__ import annotations

import base64
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from pydantic import SecretStr
from requests import PreparedRequest

from bot.appliance import refused_login
from bot.appliance.budget import Budget, EffectBudget
from bot.appliance.http_answers import (
    NOT_ACCEPTED,
    OF_THE_APPLICATION,
    Answer,
    Call,
    CallError,
    Redactor,
    TlsFailed,
    not_in_time,
)
from bot.appliance.http_call import Auth, Transport
from bot.appliance.models import session_id
from bot.appliance.tls import Trust
from bot.request.problem import ProblemKind

OK = frozenset({200})
REMOTE_MADE = frozenset({200, 201, 204})
SESSION_HEADER = "x-dr-session"

# How long a remote session lives is not documented. One of the vendor's own scripts logs in anew
# after 300 s; making it again costs one call, a DELETE that fails without it a whole approval.
RENEW_AFTER_SECONDS = 300.0

SECRETS_FRESH_SECONDS = 60.0
"""How often it is looked whether secrets have changed; also before each log-in, and after a server
was not the one that is trusted."""

REMOTE_AWAY = frozenset(
    {
        ProblemKind.REFUSED,
        ProblemKind.SERVER_ERROR,
        ProblemKind.NOT_UNDERSTOOD,
        ProblemKind.UNAVAILABLE,
        ProblemKind.UNANSWERED,
    }
)
"""After these it is the remote site that cannot be logged in to: neither our credentials nor our
limit nor the way to the appliance."""


@dataclass(frozen=True, repr=False)
class Credentials:
    """A user of one site's SSO. Its repr shows neither name nor password."""

    username: str
    password: SecretStr

    def header(self) -> str:
        """The value of an Authorization header (RFC 7617), in UTF-8 whatever the password holds."""
        pair = f"{self.username}:{self.password.get_secret_value()}"
        return "Basic " + base64.b64encode(pair.encode()).decode("ascii")


@dataclass(frozen=True, repr=False)
class Secrets:
    """All that an appliance needs to know, as it is at one moment. `remote`: where the remote site
    has users of its own."""

    local: Credentials
    remote: Credentials | None
    trust: Trust

    def hidden(self) -> tuple[str, ...]:
        """What must never be shown."""
        users = [self.local, self.remote] if self.remote else [self.local]
        passwords = (user.password.get_secret_value() for user in users)
        return (*passwords, *(user.header().removeprefix("Basic ") for user in users))


@dataclass(eq=False, repr=False)
class HeldSession:
    """One session, in memory only. Remote sessions belong to it and end with it.

    `remote`: by pairing, the monotonic second when the remote session was made on it, or None where
    that was tried and the remote site is away.
    """

    token: str
    proven: bool = False
    remote: dict[str, float | None] = field(default_factory=dict)


@dataclass(eq=False, repr=False)
class Sessions:
    """Holds the session and sends calls on it. Thread-safe: one logs in, the others wait.

    `held` is the session, if there is one. Refusals of the remote user are remembered, by pairing,
    beyond the session: SSO locks that account too, and a new session would not make the same
    password right. `read_secrets` gives what is set now; it is called again before each log-in, and
    once a minute. `now` (ms epoch) is the clock of the requests and of the login rest: a password
    that has changed since then was not refused.
    """

    transport: Transport
    budget: Budget
    read_secrets: Callable[[], Secrets]
    now: Callable[[], int]
    held: HeldSession | None = None

    def __post_init__(self) -> None:
        self.monotonic = self.transport.monotonic
        self._secrets = self.read_secrets()
        self._hidden = self._secrets.hidden()
        self._changed_ms: int | None = None
        self._looked_at = self.monotonic()
        self._lock = threading.Lock()
        self._login_lock = threading.Lock()
        self._remote_locks: dict[str, threading.Lock] = {}
        self._remote_refused: dict[str, tuple[float, Credentials, CallError]] = {}

    @contextmanager
    def wait_for(self, lock: threading.Lock, call: Call, by: float) -> Iterator[None]:
        """Hold the lock, if it can be had within the caller's time."""
        if not lock.acquire(timeout=max(0.0, by - self.monotonic())):
            raise not_in_time(self.transport.host, call, ProblemKind.UNSENT)
        try:
            yield
        finally:
            lock.release()

    def secrets(self, *, at_once: bool = False) -> Secrets:
        """What is set now; looked at again `at_once`, or where a minute has passed."""
        if at_once or self.monotonic() >= self._looked_at + SECRETS_FRESH_SECONDS:
            self._looked_at = self.monotonic()
            found, old = self.read_secrets(), self._secrets
            if found.local != old.local:
                self._changed_ms = self.now()
            # What was secret stays secret: the appliance may still repeat it.
            self._hidden = tuple(dict.fromkeys((*self._hidden, *found.hidden())))
            self._secrets = found
            self.transport.use(found.trust)
        return self._secrets

    def send(
        self,
        call: Call,
        session: HeldSession | None,
        *,
        expect: frozenset[int] = OK,
        by: float,
        send_by: float | None = None,
        user: Credentials | None = None,
    ) -> Answer:
        """One call, on this session and with this user's credentials where they are given; without
        budget and without a second try.

        On a 401 the session is dropped, but not if credentials were sent too: then the 401 may be
        about those.
        """
        try:
            answer = self.transport.exchange(
                call,
                expect=expect,
                auth=_auth_of(session, user),
                redact=Redactor((*self._hidden, session.token) if session else self._hidden),
                by=by,
                send_by=send_by,
            )
        except CallError as exc:
            if exc.status in OF_THE_APPLICATION:
                self._worked(session)
            elif exc.kind is ProblemKind.UNAUTHORIZED and not user:
                # Two threads may come with the same 401: the slower one must not drop the session
                # that was made since.
                with self._lock:
                    self.held = None if self.held is session else self.held
            elif isinstance(exc, TlsFailed):
                # The certificate may have been replaced, and the trust too.
                self._looked_at = -math.inf
            raise
        self._worked(session)
        return answer

    def _worked(self, session: HeldSession | None) -> None:
        if session is not None and not session.proven:
            session.proven = True
            self.budget.change(refused_login.call_worked)

    # ---- the local session ----------------------------------------------------------------------

    def current(self, effect: EffectBudget) -> HeldSession:
        """The session, made by one log-in if there is none."""
        self.secrets()
        if (held := self.held) is not None:
            return held
        call = Call.of("POST", "/session")
        with self.wait_for(self._login_lock, call, effect.by):
            if (held := self.held) is not None:
                return held
            user = self.secrets(at_once=True).local
            effect.pay(partial(refused_login.begin_login, changed_ms=self._changed_ms))
            try:
                answer = self.send(call, None, by=effect.by, user=user)
                made = HeldSession(answer.read(session_id))
            except CallError as exc:
                if exc.status in {401, 403}:
                    self.budget.on_login("refused")
                    why = f"a log-in was refused with HTTP {exc.status}"
                    self.budget.change(partial(refused_login.login_refused, why=why))
                    raise self._login_refused(exc, "local", refused_login.REST_MS) from None
                if exc.kind in NOT_ACCEPTED:
                    self.budget.on_login("not_sent")
                    self.budget.change(refused_login.login_not_sent)
                raise
            with self._lock:
                self.held = made
            self.budget.on_login("worked")
            return made

    def _login_refused(self, refusal: CallError, which: str, rest_ms: float) -> CallError:
        """The error for a 401 or 403 at a log-in; a new one each time, since several threads that
        raise the same one mix up their tracebacks."""
        return CallError(
            ProblemKind.LOGIN_REFUSED,
            f"{self.transport.host} refused the log-in of the {which} user (HTTP"
            f" {refusal.status}): name or password is wrong, or the account is locked or has no"
            " right.",
            status=refusal.status,
            retry_after_seconds=rest_ms / 1000,
            error_code=refusal.error_code,
            message=refusal.message,
            op_id=refusal.op_id,
        )

    # ---- the remote site's session --------------------------------------------------------------

    def ready(self, session: HeldSession, pairing_id: str) -> bool:
        """Whether a DELETE of this pairing may go out on this session."""
        return self._secrets.remote is None or pairing_id in session.remote

    def log_in_remote(self, pairing_id: str, effect: EffectBudget) -> None:
        """Make the remote session of this pairing if remote credentials are configured and it is
        missing.

        Raises LOGIN_REFUSED for credentials that are or were just refused, and every other error of
        a call, such as SERVER_ERROR while the remote site is down.
        """
        # What was refused may have been corrected since.
        user = self.secrets(at_once=pairing_id in self._remote_refused).remote
        if user is None:
            return
        call = Call.of("POST", "/pairings/{pairing_id}/remote-session", pairing_id=pairing_id)
        # One lock per pairing: a remote site that hangs must not hold up the others.
        lock = self._remote_locks.setdefault(pairing_id, threading.Lock())
        with self.wait_for(lock, call, effect.by):
            again = True
            while True:
                session = self.current(effect)
                made_at, now = session.remote.get(pairing_id), self.monotonic()
                if made_at is not None and now < made_at + RENEW_AFTER_SECONDS:
                    return
                until, whose, before = self._remote_refused.get(pairing_id, (now, None, None))
                if before and now < until and whose == user:
                    raise self._login_refused(before, "remote", (until - now) * 1000)
                effect.pay()
                try:
                    self.send(call, session, expect=REMOTE_MADE, by=effect.by, user=user)
                except CallError as exc:
                    refusal = exc
                else:
                    session.remote[pairing_id] = self.monotonic()
                    return
                if refusal.status not in {401, 403}:
                    if refusal.kind in REMOTE_AWAY:
                        session.remote[pairing_id] = None
                    raise refusal
                try:
                    if refusal.status == 401:
                        # The remote password, or the local session? If that has ended this drops
                        # it; any other answer shows that it is known.
                        effect.pay()
                        self.send(Call.of("GET", "/session"), session, by=effect.by)
                except CallError as exc:
                    if exc.kind is ProblemKind.UNAUTHORIZED and again:
                        again = False  # once more, with a new one
                        continue
                    if exc.status not in OF_THE_APPLICATION:
                        raise
                until = now + refused_login.REST_MS / 1000
                self._remote_refused[pairing_id] = (until, user, refusal)
                raise self._login_refused(refusal, "remote", refused_login.REST_MS)


def _auth_of(session: HeldSession | None, user: Credentials | None) -> Auth:
    """For a call on this session, with this user's credentials, where they are given."""

    def put(request: PreparedRequest) -> PreparedRequest:
        if session is not None:
            request.headers[SESSION_HEADER] = session.token
        if user is not None:
            request.headers["Authorization"] = user.header()
        return request

    return put
