"""The session with the local appliance: made when needed, shared by all threads, never stored.

Source: vendor OpenAPI. `POST /session` with Basic auth gives `session_id`, which every later call
carries as `x-dr-session`. How long it lives is not documented, so the only sign of its end is a
401; a read then logs in again once and is repeated once, and that is all: SSO locks accounts.
"""

from __future__ import annotations

import base64
import copy
import threading
import time
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import AfterValidator, SecretStr, StrictStr

from bot.appliance.answers import Answer, Redactor
from bot.appliance.budget import REST_MS, Budget, EffectBudget
from bot.appliance.errors import (
    Answered,
    ApplianceError,
    ConnectionCut,
    Limited,
    LoginRefused,
    NotFound,
    NotSent,
    NotUnderstood,
    Refused,
    TooLate,
    Unanswered,
    Unauthorized,
    Unavailable,
    timed_out,
)
from bot.appliance.http import Call, HeaderAuth, Transport
from bot.appliance.models import FromAppliance

SESSION_HEADER = "x-dr-session"
OK = frozenset({200})
HEADER_LENGTH_MAX = 4_096  # servers refuse all headers together above some 8,000

# When a log-in fails for a reason that is the same for all, everybody who waited for it gets this
# error. A deadline or a budget is each caller's own.
_SHARED_FAILURES = (
    LoginRefused,
    Refused,
    Limited,
    Unanswered,
    Unavailable,
    NotUnderstood,
    NotSent,
    ConnectionCut,
)


def header_value(text: str) -> str:
    """The text, if it can be a header's value. Raises ValueError."""
    if not text.strip() or len(text) > HEADER_LENGTH_MAX:
        raise ValueError("cannot be sent in a header")
    if not text.isascii() or not text.isprintable():
        raise ValueError("cannot be sent in a header")
    return text


class SessionId(FromAppliance):
    """The answer to a log-in (vendor OpenAPI, SessionIdData)."""

    session_id: Annotated[StrictStr, AfterValidator(header_value)]


class Credentials:
    """A user of one site's SSO. Its repr shows neither name nor password."""

    def __init__(self, username: str, password: SecretStr) -> None:
        self._username = username
        self._password = password

    def __repr__(self) -> str:
        return "Credentials()"

    def header(self) -> str:
        """The value of an Authorization header (RFC 7617), in UTF-8 whatever the password holds."""
        pair = f"{self._username}:{self._password.get_secret_value()}"
        return "Basic " + base64.b64encode(pair.encode()).decode("ascii")

    def secrets(self) -> tuple[str, ...]:
        """What must never be shown."""
        return self._password.get_secret_value(), self.header().removeprefix("Basic ")


class HeldSession:
    """One session, in memory only. Remote sessions belong to it and end with it.

    `answered_at`: monotonic second of the last answer on it. `remote_made`: when the remote
    session of a pairing was made on it; `remote_tried`: pairings for which that was tried;
    `remote_slow`: how and when the last try failed, where it took long to.
    """

    def __init__(self, token: str) -> None:
        self.token = token
        self.proven = False
        self.answered_at: float | None = None
        self.remote_made: dict[str, float] = {}
        self.remote_tried: set[str] = set()
        self.remote_slow: dict[str, tuple[float, ApplianceError]] = {}
        self.remote_locks: dict[str, threading.Lock] = {}

    def __repr__(self) -> str:
        return f"HeldSession(proven={self.proven})"


class Sessions:
    """Holds the session and sends calls on it. Thread-safe: one logs in, the others wait."""

    def __init__(
        self,
        transport: Transport,
        budget: Budget,
        credentials: Credentials,
        *,
        other_secrets: tuple[str, ...] = (),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.transport = transport
        self.budget = budget
        self._credentials = credentials
        self._secrets = (*credentials.secrets(), *other_secrets)
        self._monotonic = monotonic
        self._held: HeldSession | None = None
        self._held_lock = threading.Lock()
        self._login_lock = threading.Lock()
        self._logins = 0
        self._failure: ApplianceError | None = None

    def held(self) -> HeldSession | None:
        """The session, if there is one. Makes no call."""
        return self._held

    def drop(self, session: HeldSession) -> bool:
        """Forget this session. False when somebody has done so already: two threads may come with
        the same 401, and the slower one must not drop the new session."""
        with self._held_lock:
            if self._held is not session:
                return False
            self._held = None
            return True

    def redactor(self, session: HeldSession | None) -> Redactor:
        """Removes every secret of this client from a server's words."""
        return Redactor((*self._secrets, session.token) if session else self._secrets)

    def wait_for(self, lock: threading.Lock, call: Call, by: float | None) -> None:
        """Acquire the lock within the caller's time. Raises TimedOut."""
        left = -1.0 if by is None else max(0.0, by - self._monotonic())
        if not lock.acquire(timeout=left):
            raise timed_out(self.transport.host, call.method, call.path, None)

    def current(self, effect: EffectBudget) -> HeldSession:
        """The session, made if there is none. Raises any `ApplianceError`."""
        held = self._held
        if held is not None:
            return held
        call = Call.of("POST", "/session")
        seen = self._logins
        self.wait_for(self._login_lock, call, effect.by)
        try:
            if self._held is not None:
                return self._held
            if self._logins != seen and self._failure is not None:
                # A copy, since several threads that raise one exception mix up their tracebacks.
                raise copy.copy(self._failure)
            return self._log_in(call, effect)
        finally:
            self._login_lock.release()

    def send(
        self,
        call: Call,
        session: HeldSession,
        *,
        expect: frozenset[int],
        by: float | None,
        send_by: float | None = None,
        remote: Credentials | None = None,
    ) -> Answer:
        """One call on this session, without budget and without a second try.

        On a 401 the session is dropped, but not if `remote` credentials were sent too: then the
        401 may be about those.
        """
        try:
            answer = self.transport.exchange(
                call,
                expect=expect,
                auth=_on_session(session, remote),
                redact=self.redactor(session),
                by=by,
                send_by=send_by,
            )
        except (NotFound, Refused):
            # The application itself answered, so it knows the session.
            self._worked(session)
            raise
        except Unauthorized:
            if remote is None and self.drop(session) and not session.proven:
                self.budget.login_in_vain()
            raise
        self._worked(session)
        return answer

    def knock(self, effect: EffectBudget) -> None:
        """One call without a session and without credentials. Raises NotSent and nothing else."""
        call = Call.of("GET", "/session")
        effect.pay()
        try:
            self.transport.exchange(
                call, expect=OK, auth=HeaderAuth({}), redact=self.redactor(None), by=effect.by
            )
        except (Answered, Unanswered):
            # It was sent, so a trusted server is there. What is wrong with it the log-in will say.
            return

    def read(self, call: Call, effect: EffectBudget) -> Answer:
        """A call that changes nothing: repeated once, after a new log-in, on a 401."""
        try:
            return self._read_once(call, effect)
        except Unauthorized:
            # The second try is outside of this block, so that its errors are not chained to this.
            pass
        return self._read_once(call, effect)

    def _read_once(self, call: Call, effect: EffectBudget) -> Answer:
        session = self.current(effect)
        self.transport.require_time(call, effect.by)
        effect.pay()
        return self.send(call, session, expect=OK, by=effect.by)

    def _worked(self, session: HeldSession) -> None:
        session.answered_at = self._monotonic()
        if not session.proven:
            session.proven = True
            self.budget.call_worked()

    def _log_in(self, call: Call, effect: EffectBudget) -> HeldSession:
        self.transport.require_time(call, effect.by)
        effect.pay(login=True)
        self._failure = None
        try:
            session = self._ask_for_session(call, effect.by)
        except _SHARED_FAILURES as exc:
            if not isinstance(exc, TooLate):
                self._failure = copy.copy(exc)
            raise
        finally:
            self._logins += 1
        with self._held_lock:
            self._held = session
        return session

    def _ask_for_session(self, call: Call, by: float | None) -> HeldSession:
        try:
            answer = self.transport.exchange(
                call,
                expect=OK,
                auth=HeaderAuth({"Authorization": self._credentials.header()}),
                redact=self.redactor(None),
                by=by,
            )
            session = HeldSession(answer.read(SessionId).session_id)
        except (NotSent, Limited, Unavailable):
            self.budget.login_not_sent()
            raise
        except Answered as exc:
            if exc.status not in {401, 403}:
                self.budget.login_in_vain()
                raise
            refusal = exc
        else:
            self.budget.on_login("worked")
            return session
        self.budget.login_refused(f"a log-in was refused with HTTP {refusal.status}")
        raise login_refused(self.transport.host, refusal, which="local")


def _on_session(session: HeldSession, remote: Credentials | None) -> HeaderAuth:
    headers = {SESSION_HEADER: session.token}
    if remote is not None:
        headers["Authorization"] = remote.header()
    return HeaderAuth(headers)


def login_refused(
    host: str, refusal: ApplianceError, *, which: Literal["local", "remote"]
) -> LoginRefused:
    """The error for a 401 or 403 at a log-in."""
    error = LoginRefused(
        f"{host} refused the log-in of the {which} user (HTTP {refusal.status}): name or password"
        " is wrong, or the account is locked or has no right.",
        method=refusal.method,
        path=refusal.path,
        status=refusal.status,
        retry_after_seconds=REST_MS / 1000,
        response_error=refusal.response_error,
    )
    error.which = which
    return error
