"""The sessions with an appliance: made when needed, shared by all threads, never stored.

Source: vendor OpenAPI. `POST /session` with Basic auth gives `session_id`, which every later call
carries as `x-dr-session`. How long it lives is not documented, so the only sign of its end is a
401; a read then logs in again once and is repeated once, and that is all: SSO locks accounts.

Where the remote vCenter has an SSO of its own, the remote site's user is logged in as well: `POST
/pairings/{pairing_id}/remote-session` with Basic auth, 204. That session belongs to the local one.
"""

from __future__ import annotations

import copy
import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Literal

from bot.appliance import refused_login
from bot.appliance.answers import Answer, Redactor
from bot.appliance.budget import Budget, EffectBudget
from bot.appliance.credentials import Credentials, HeldSession, Secrets
from bot.appliance.errors import (
    Answered,
    ApplianceError,
    Limited,
    LoginRefused,
    NotFound,
    NotSent,
    Refused,
    TlsFailed,
    TooLate,
    Unauthorized,
    Unavailable,
    timed_out,
)
from bot.appliance.http import Call, Transport, auth_of
from bot.appliance.models import session_id

OK = frozenset({200})
REMOTE_MADE = frozenset({200, 201, 204})

# How long a remote session lives is not documented. One of the vendor's own scripts logs in anew
# after 300 s; making it again costs one call, a DELETE that fails without it a whole approval.
RENEW_AFTER_SECONDS = 300.0

SECRETS_FRESH_SECONDS = 60.0
"""How often it is looked whether secrets have changed; also before each log-in, and after a server
was not the one that is trusted."""

SLOW_SECONDS, SLOW_KNOWN_SECONDS = 3.0, 30.0
"""If a try took this long to fail for the reading, it is not made again for the DELETE after it.
Otherwise a remote site that does not answer at all, the main reason for a one-sided break, would be
waited for twice and leave the DELETE no time. Each reading tries anew: if the site is back, the
reason has gone."""


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
        *,
        monotonic: Callable[[], float] = time.monotonic,
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
        self._logins = 0
        self._failure: ApplianceError | None = None
        # Until when, what, and whose it is: the user that was refused, or a session that was slow.
        self._remote_failed: dict[str, tuple[float, ApplianceError, object]] = {}

    def wait_for(self, lock: threading.Lock, call: Call, by: float | None) -> None:
        """Acquire the lock within the caller's time. Raises TimedOut."""
        left = -1.0 if by is None else max(0.0, by - self._monotonic())
        if not lock.acquire(timeout=left):
            raise timed_out(self.transport.host, call.method, call.path, None)

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

    # ---- calls ----------------------------------------------------------------------------------

    def send(
        self,
        call: Call,
        session: HeldSession | None,
        *,
        expect: frozenset[int] = OK,
        by: float | None,
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
                auth=auth_of(session, user),
                redact=Redactor((*self._hidden, session.token) if session else self._hidden),
                by=by,
                send_by=send_by,
            )
        except (NotFound, Refused):
            # The application itself answered, so it knows the session.
            self._worked(session)
            raise
        except Unauthorized:
            if session and not user and self._drop(session) and not session.proven:
                self.budget.change(refused_login.login_in_vain)
            raise
        except TlsFailed:
            self._looked_at = -math.inf  # the certificate may have been replaced, and the trust too
            raise
        self._worked(session)
        return answer

    def _worked(self, session: HeldSession | None) -> None:
        if session is None:
            return
        session.answered_at = self._monotonic()
        if not session.proven:
            session.proven = True
            self.budget.change(refused_login.call_worked)

    def _drop(self, session: HeldSession) -> bool:
        """Forget this session. False when somebody has done so already: two threads may come with
        the same 401, and the slower one must not drop the new session."""
        with self._lock:
            held, self.held = self.held, None if self.held is session else self.held
        return held is session

    # ---- the local session ----------------------------------------------------------------------

    def current(self, effect: EffectBudget) -> HeldSession:
        """The session, made if there is none. Raises any `ApplianceError`."""
        self.secrets()
        if (held := self.held) is not None:
            return held
        call = Call.of("POST", "/session")
        seen = self._logins
        self.wait_for(self._login_lock, call, effect.by)
        try:
            if self.held is not None:
                return self.held
            if self._logins != seen and self._failure is not None:
                # A copy, since several threads that raise one exception mix up their tracebacks.
                raise copy.copy(self._failure)
            self.transport.require_time(call, effect.by)
            user = self.secrets(at_once=True).local
            effect.pay(partial(refused_login.begin_login, changed_ms=self._changed_ms))
            self._failure = None
            try:
                made = self._log_in(call, user, effect.by)
            except ApplianceError as exc:
                # It would fail for all who waited for it. Only a time to send is each caller's own.
                self._failure = None if isinstance(exc, TooLate) else copy.copy(exc)
                raise
            finally:
                self._logins += 1
            with self._lock:
                self.held = made
            return made
        finally:
            self._login_lock.release()

    def _log_in(self, call: Call, user: Credentials, by: float | None) -> HeldSession:
        try:
            answer = self.send(call, None, by=by, user=user)
            session = HeldSession(answer.read(session_id))
        except (NotSent, Limited, Unavailable):
            self.budget.on_login("not_sent")
            self.budget.change(refused_login.login_not_sent)
            raise
        except Answered as exc:
            if exc.status not in {401, 403}:
                self.budget.change(refused_login.login_in_vain)
                raise
            refusal = exc
        else:
            self.budget.on_login("worked")
            return session
        self.budget.on_login("refused")
        why = f"a log-in was refused with HTTP {refusal.status}"
        self.budget.change(partial(refused_login.login_refused, why=why))
        raise self._login_refused(refusal, "local")

    def _login_refused(
        self, refusal: ApplianceError, which: Literal["local", "remote"]
    ) -> LoginRefused:
        """The error for a 401 or 403 at a log-in."""
        error = LoginRefused(
            f"{self.transport.host} refused the log-in of the {which} user (HTTP"
            f" {refusal.status}): name or password is wrong, or the account is locked or has no"
            " right.",
            method=refusal.method,
            path=refusal.path,
            status=refusal.status,
            retry_after_seconds=refused_login.REST_MS / 1000,
            error_code=refusal.error_code,
            message=refusal.message,
            op_id=refusal.op_id,
        )
        error.which = which
        return error

    # ---- the remote site's session --------------------------------------------------------------

    def remote_calls(self, pairing_id: str | None = None) -> int:
        """How many calls `log_in_remote` may take; None is a pairing not known yet."""
        made = self.held and pairing_id and self._remote_made(self.held, pairing_id)
        return int(self._secrets.remote is not None and not made)

    def ready(self, session: HeldSession, pairing_id: str) -> bool:
        """Whether a DELETE of this pairing may go out on this session."""
        return self._secrets.remote is None or pairing_id in session.remote

    def log_in_remote(
        self, pairing_id: str, effect: EffectBudget, *, wait_again: bool = True
    ) -> None:
        """Make the remote session of this pairing if remote credentials are configured and it is
        missing. Without `wait_again` a try that took long to fail, a moment ago, is not made again.

        Raises LoginRefused(which="remote") for credentials that are or were just refused, and
        every other error of a call, such as Refused while the remote site is down.
        """
        # What was refused may have been corrected since.
        user = self.secrets(at_once=pairing_id in self._remote_failed).remote
        if user is None:
            return
        call = Call.of("POST", "/pairings/{pairing_id}/remote-session", pairing_id=pairing_id)
        for again in (True, False):
            session = self.current(effect)
            # One lock per pairing: a remote site that hangs must not hold up the others.
            lock = session.remote_locks.setdefault(pairing_id, threading.Lock())
            self.wait_for(lock, call, effect.by)
            try:
                if not self._remote_made(session, pairing_id):
                    self._raise_if_failed(pairing_id, user, None if wait_again else session)
                    self._log_in_remote(call, session, pairing_id, user, effect)
                return
            except Unauthorized:
                # The local session had ended: once more, with a new one.
                if not again:
                    raise
            finally:
                lock.release()

    def _log_in_remote(
        self,
        call: Call,
        session: HeldSession,
        pairing_id: str,
        user: Credentials,
        effect: EffectBudget,
    ) -> None:
        self.transport.require_time(call, effect.by)
        effect.pay()
        refusal: ApplianceError
        began = self._monotonic()
        try:
            self.send(call, session, expect=REMOTE_MADE, by=effect.by, user=user)
        except Unauthorized as exc:
            # The remote password, or the local session? If that has ended this drops it, and raises
            # Unauthorized; any other answer shows that it is known.
            effect.pay()
            with suppress(Refused, NotFound):
                self.send(Call.of("GET", "/session"), session, by=effect.by)
            refusal = exc
        except ApplianceError as exc:
            session.remote[pairing_id] = None
            if not isinstance(exc, Refused) or exc.status != 403:
                if self._monotonic() - began >= SLOW_SECONDS:
                    self._remember(pairing_id, SLOW_KNOWN_SECONDS, exc, session)
                raise
            refusal = exc
        else:
            session.remote[pairing_id] = self._monotonic()
            return
        refused = self._login_refused(refusal, "remote")
        self._remember(pairing_id, refused_login.REST_MS / 1000, refused, user)
        raise refused

    def _remote_made(self, session: HeldSession, pairing_id: str) -> bool:
        made_at = session.remote.get(pairing_id)
        return made_at is not None and self._monotonic() < made_at + RENEW_AFTER_SECONDS

    def _remember(
        self, pairing_id: str, seconds: float, error: ApplianceError, whose: object
    ) -> None:
        """Without those that are over: a process lives for months."""
        now = self._monotonic()
        with self._lock:
            still = {known: e for known, e in self._remote_failed.items() if e[0] > now}
            self._remote_failed = still | {pairing_id: (now + seconds, copy.copy(error), whose)}

    def _raise_if_failed(
        self, pairing_id: str, user: Credentials, session: HeldSession | None
    ) -> None:
        """Raises a refusal of this user that is not over; for this `session`, a slow failure on it
        as well."""
        until, error, whose = self._remote_failed.get(pairing_id, (0.0, None, None))
        left = until - self._monotonic()
        if error and left > 0 and whose in (user, session):
            again = copy.copy(error)
            again.retry_after_seconds = left if whose == user else error.retry_after_seconds
            raise again
