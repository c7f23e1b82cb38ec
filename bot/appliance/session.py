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

from bot.appliance import refused_login
from bot.appliance.budget import Budget, EffectBudget
from bot.appliance.call_errors import Call, CallError, TlsFailed, not_in_time
from bot.appliance.http_answers import NOT_ACCEPTED, OF_THE_APPLICATION, Answer, Redactor
from bot.appliance.http_call import HeaderAuth, Transport
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

    def hidden(self) -> tuple[str, str]:
        """What must never be shown."""
        return self.password.get_secret_value(), self.header().removeprefix("Basic ")


@dataclass(frozen=True, repr=False)
class Secrets:
    """All that an appliance needs to know, as it is at one moment. `remote`: where the remote site
    has users of its own."""

    local: Credentials
    remote: Credentials | None
    trust: Trust

    def hidden(self) -> tuple[str, ...]:
        """What must never be shown."""
        return (*self.local.hidden(), *(self.remote.hidden() if self.remote else ()))


@dataclass(eq=False, repr=False)
class HeldSession:
    """One session, in memory only. Remote sessions belong to it and end with it.

    `remote`: by pairing, the monotonic second when the remote session was made on it, or None where
    that was tried and the remote site is away.
    """

    token: str
    proven: bool = False
    remote: dict[str, float | None] = field(default_factory=dict)


class Sessions:
    """Holds the session and sends calls on it. Thread-safe: one logs in, the others wait.

    `held` is the session, if there is one. Refusals of the remote user are remembered, by pairing,
    beyond the session: SSO locks that account too, and a new session would not make the same
    password right. `secrets` gives what is set now, and `now` (ms epoch) is the clock of the login
    rest: a password that has changed since then was not refused.
    """

    def __init__(
        self,
        transport: Transport,
        budget: Budget,
        secrets: Callable[[], Secrets],
        now: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self.transport = transport
        self.budget = budget
        self.held: HeldSession | None = None
        self._read_secrets = secrets
        self._secrets = secrets()
        self._hidden = self._secrets.hidden()
        self._changed_ms: int | None = None
        self._now = now
        self._monotonic = monotonic
        self._looked_at = monotonic()
        self._lock = threading.Lock()
        self._login_lock = threading.Lock()
        self._remote_locks: dict[str, threading.Lock] = {}
        self._remote_refused: dict[str, tuple[float, Credentials, CallError]] = {}

    @contextmanager
    def wait_for(self, lock: threading.Lock, call: Call, by: float) -> Iterator[None]:
        """Hold the lock, if it can be had within the caller's time."""
        if not lock.acquire(timeout=max(0.0, by - self._monotonic())):
            raise not_in_time(self.transport.host, call, ProblemKind.UNSENT)
        try:
            yield
        finally:
            lock.release()

    def secrets(self, *, at_once: bool = False) -> Secrets:
        """What is set now; looked at again `at_once`, or where a minute has passed."""
        if at_once or self._monotonic() >= self._looked_at + SECRETS_FRESH_SECONDS:
            self._looked_at = self._monotonic()
            found, old = self._read_secrets(), self._secrets
            if found.local != old.local:
                self._changed_ms = self._now()
            # What was secret stays secret: the appliance may still repeat it.
            self._hidden = tuple(dict.fromkeys((*self._hidden, *found.hidden())))
            self._secrets = found
            self.transport.trust(found.trust)
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
            elif exc.kind is ProblemKind.UNAUTHORIZED and session and not user:
                if self._drop(session) and not session.proven:
                    self.budget.change(refused_login.login_in_vain)
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

    def _drop(self, session: HeldSession) -> bool:
        """Forget this session. False when somebody has done so already: two threads may come with
        the same 401, and the slower one must not drop the new session."""
        with self._lock:
            held, self.held = self.held, None if self.held is session else self.held
        return held is session

    def open(self, call: Call, by: float) -> None:
        """Make the connection that this call will be sent on."""
        try:
            self.transport.open(call, by)
        except TlsFailed:
            self._looked_at = -math.inf
            raise

    # ---- the local session ----------------------------------------------------------------------

    def current(self, effect: EffectBudget) -> HeldSession:
        """The session, made if there is none."""
        self.secrets()
        if (held := self.held) is not None:
            return held
        call = Call.of("POST", "/session")
        with self.wait_for(self._login_lock, call, effect.by):
            if (held := self.held) is not None:
                return held
            user = self.secrets(at_once=True).local
            effect.pay(partial(refused_login.begin_login, changed_ms=self._changed_ms))
            made = self._log_in(call, user, effect.by)
            with self._lock:
                self.held = made
            return made

    def _log_in(self, call: Call, user: Credentials, by: float) -> HeldSession:
        try:
            session = HeldSession(self.send(call, None, by=by, user=user).read(session_id))
        except CallError as exc:
            refusal = exc
        else:
            self.budget.on_login("worked")
            return session
        if refusal.status not in {401, 403}:
            if refusal.kind in NOT_ACCEPTED:
                self.budget.on_login("not_sent")
                self.budget.change(refused_login.login_not_sent)
            elif refusal.kind is not ProblemKind.UNANSWERED:
                self.budget.change(refused_login.login_in_vain)
            raise refusal
        self.budget.on_login("refused")
        why = f"a log-in was refused with HTTP {refusal.status}"
        self.budget.change(partial(refused_login.login_refused, why=why))
        raise self._login_refused(refusal, "local", refused_login.REST_MS / 1000)

    def _login_refused(self, refusal: CallError, which: str, seconds: float) -> CallError:
        """The error for a 401 or 403 at a log-in; a new one each time, since several threads that
        raise the same one mix up their tracebacks."""
        return CallError(
            ProblemKind.LOGIN_REFUSED,
            f"{self.transport.host} refused the log-in of the {which} user (HTTP"
            f" {refusal.status}): name or password is wrong, or the account is locked or has no"
            " right.",
            status=refusal.status,
            retry_after_seconds=seconds,
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
            for again in (True, False):
                session = self.current(effect)
                if self._remote_made(session, pairing_id):
                    return
                until, whose, refusal = self._remote_refused.get(pairing_id, (0.0, None, None))
                left = until - self._monotonic()
                if refusal and left > 0 and whose == user:
                    raise self._login_refused(refusal, "remote", left)
                try:
                    self._log_in_remote(call, session, pairing_id, user, effect)
                    return
                except CallError as exc:
                    # 401: the local session had ended. Once more, with a new one.
                    if exc.kind is not ProblemKind.UNAUTHORIZED or not again:
                        raise

    def _log_in_remote(
        self,
        call: Call,
        session: HeldSession,
        pairing_id: str,
        user: Credentials,
        effect: EffectBudget,
    ) -> None:
        effect.pay()
        try:
            self.send(call, session, expect=REMOTE_MADE, by=effect.by, user=user)
        except CallError as exc:
            refusal = exc
        else:
            session.remote[pairing_id] = self._monotonic()
            return
        if refusal.status == 401:
            # The remote password, or the local session? If that has ended this drops it, and raises
            # UNAUTHORIZED; any other answer shows that it is known.
            effect.pay()
            try:
                self.send(Call.of("GET", "/session"), session, by=effect.by)
            except CallError as exc:
                if exc.status not in OF_THE_APPLICATION:
                    raise
        elif refusal.status != 403:
            if refusal.kind in REMOTE_AWAY:
                session.remote[pairing_id] = None
            raise refusal
        seconds = refused_login.REST_MS / 1000
        self._remote_refused[pairing_id] = (self._monotonic() + seconds, user, refusal)
        raise self._login_refused(refusal, "remote", seconds)

    def _remote_made(self, session: HeldSession, pairing_id: str) -> bool:
        made_at = session.remote.get(pairing_id)
        return made_at is not None and self._monotonic() < made_at + RENEW_AFTER_SECONDS


def _auth_of(session: HeldSession | None, user: Credentials | None) -> HeaderAuth:
    """For a call on this session, with this user's credentials, where they are given."""
    headers = {} if session is None else {SESSION_HEADER: session.token}
    if user is not None:
        headers["Authorization"] = user.header()
    return HeaderAuth(headers)
