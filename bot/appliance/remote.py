"""The session of the remote site's user, which belongs to the local session.

Source: vendor OpenAPI, `POST /pairings/{pairing_id}/remote-session` with Basic auth, 204. It is
only needed where the remote vCenter has an SSO of its own, so it is made only when remote
credentials are configured.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable

from bot.appliance.budget import REST_MS, EffectBudget
from bot.appliance.errors import ApplianceError, LoginRefused, NotFound, Refused, Unauthorized
from bot.appliance.http import Call
from bot.appliance.session import OK, Credentials, HeldSession, Sessions, login_refused

MADE = frozenset({200, 201, 204})

# How long a remote session lives is not documented. One of the vendor's own scripts logs in anew
# after 300 s; making it again costs one call, a DELETE that fails without it a whole approval.
RENEW_AFTER_SECONDS = 300.0

SLOW_SECONDS = 3.0
SLOW_KNOWN_SECONDS = 30.0
"""If a try took this long to fail for the reading, it is not made again for the DELETE after it.
Otherwise a remote site that does not answer at all, the main reason for a one-sided break, would be
waited for twice and leave the DELETE no time. Each reading tries anew: if the site is back, the
reason has gone."""


class RemoteSessions:
    """Makes remote sessions, and remembers refusals: SSO locks the remote account too.

    Refusals are kept per pairing and outlast the local session: a new one would not make the same
    password right.
    """

    def __init__(
        self,
        sessions: Sessions,
        credentials: Credentials | None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sessions = sessions
        self._credentials = credentials
        self._monotonic = monotonic
        self._refused: dict[str, tuple[float, LoginRefused]] = {}
        self._remembering = threading.Lock()

    def ensure(self, pairing_id: str, effect: EffectBudget, *, wait_again: bool = True) -> None:
        """Make the remote session of this pairing if it is needed and missing. Without
        `wait_again` a try that took long to fail, a moment ago, is not made once more.

        Raises LoginRefused(which="remote") for credentials that are or were just refused, and
        every other error of a call, such as Refused while the remote site is down.
        """
        if self._credentials is None:
            return
        call = Call.of("POST", "/pairings/{pairing_id}/remote-session", pairing_id=pairing_id)
        try:
            self._ensure_once(call, pairing_id, self._credentials, effect, wait_again)
        except Unauthorized:
            # The local session had ended; left first, so that errors are not chained to this.
            pass
        else:
            return
        self._ensure_once(call, pairing_id, self._credentials, effect, wait_again)

    def missing(self, pairing_id: str | None) -> bool:
        """Whether `ensure` may make a call; None is a pairing that is not known yet."""
        session = self._sessions.held()
        if self._credentials is None or session is None or pairing_id is None:
            return self._credentials is not None
        return not self._is_made(session, pairing_id)

    def ready(self, session: HeldSession, pairing_id: str) -> bool:
        """True when a DELETE of this pairing may go out on this session."""
        return self._credentials is None or pairing_id in session.remote_tried

    def _ensure_once(
        self,
        call: Call,
        pairing_id: str,
        credentials: Credentials,
        effect: EffectBudget,
        wait_again: bool,
    ) -> None:
        session = self._sessions.current(effect)
        # One lock per pairing: a remote site that hangs must not hold up the others.
        lock = session.remote_locks.setdefault(pairing_id, threading.Lock())
        self._sessions.wait_for(lock, call, effect.by)
        try:
            if self._is_made(session, pairing_id):
                return
            self._raise_if_refused(pairing_id)
            if not wait_again:
                self._raise_if_slow(session, pairing_id)
            self._log_in(call, session, pairing_id, credentials, effect)
        finally:
            lock.release()

    def _log_in(
        self,
        call: Call,
        session: HeldSession,
        pairing_id: str,
        credentials: Credentials,
        effect: EffectBudget,
    ) -> None:
        self._sessions.transport.require_time(call, effect.by)
        effect.pay()
        refusal: ApplianceError
        began = self._monotonic()
        try:
            self._sessions.send(call, session, expect=MADE, by=effect.by, remote=credentials)
        except Unauthorized as exc:
            # A 401 here may mean the remote password or the local session: ask which.
            self._check_local(effect, session)
            refusal = exc
        except Refused as exc:
            session.remote_tried.add(pairing_id)
            if exc.status != 403:
                self._note_slow(session, pairing_id, began, exc)
                raise
            refusal = exc
        except ApplianceError as exc:
            session.remote_tried.add(pairing_id)
            self._note_slow(session, pairing_id, began, exc)
            raise
        else:
            session.remote_made[pairing_id] = self._monotonic()
            session.remote_tried.add(pairing_id)
            return
        refused = login_refused(self._sessions.transport.host, refusal, which="remote")
        self._remember(pairing_id, copy.copy(refused))
        raise refused

    def _check_local(self, effect: EffectBudget, session: HeldSession) -> None:
        """Raises Unauthorized, having dropped it, when the local session itself has ended."""
        call = Call.of("GET", "/session")
        effect.pay()
        try:
            self._sessions.send(call, session, expect=OK, by=effect.by)
        except Unauthorized:
            raise
        except (Refused, NotFound):
            # It answered, so the session is known; what it says about itself does not matter.
            return

    def _remember(self, pairing_id: str, refused: LoginRefused) -> None:
        """Without those that are over: a process lives for months."""
        now = self._monotonic()
        with self._remembering:
            still = {known: entry for known, entry in self._refused.items() if entry[0] > now}
            self._refused = {**still, pairing_id: (now + REST_MS / 1000, refused)}

    def _is_made(self, session: HeldSession, pairing_id: str) -> bool:
        made_at = session.remote_made.get(pairing_id)
        return made_at is not None and self._monotonic() < made_at + RENEW_AFTER_SECONDS

    def _note_slow(
        self, session: HeldSession, pairing_id: str, began: float, failure: ApplianceError
    ) -> None:
        now = self._monotonic()
        if now - began >= SLOW_SECONDS:
            session.remote_slow[pairing_id] = (now, copy.copy(failure))

    def _raise_if_slow(self, session: HeldSession, pairing_id: str) -> None:
        at, failure = session.remote_slow.get(pairing_id, (0.0, None))
        if failure is not None and self._monotonic() < at + SLOW_KNOWN_SECONDS:
            raise copy.copy(failure)

    def _raise_if_refused(self, pairing_id: str) -> None:
        until, refused = self._refused.get(pairing_id, (0.0, None))
        left = until - self._monotonic()
        if refused is None or left <= 0:
            return
        again = copy.copy(refused)
        again.retry_after_seconds = left
        raise again
