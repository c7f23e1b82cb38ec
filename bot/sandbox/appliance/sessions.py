"""Log-ins and sessions of the simulated appliance, and accounts that get locked."""

from __future__ import annotations

import base64
import binascii
import hmac
import uuid
from dataclasses import dataclass, field

# vCenter Single Sign-On's lockout policy as it is delivered: five wrong passwords within three
# minutes lock the account for five. A client that logs in again in a loop must feel it here.
LOCK_WINDOW_SECONDS = 180.0
LOCK_SECONDS = 300.0


@dataclass
class Account:
    username: str
    password: str
    failures: list[float] = field(default_factory=list)
    locked_until: float | None = None


@dataclass
class Session:
    """One log-in; `remote_pairings` are those whose remote site it is logged in to as well."""

    seq: int
    token: str
    username: str
    opened_at: float
    remote_pairings: set[str] = field(default_factory=set)


def basic_credentials(header: str | None) -> tuple[str, str] | None:
    """(user, password) of an Authorization header, None when it is not well-formed Basic."""
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
    user, colon, password = text.partition(":")
    return (user, password) if colon else None


class Sessions:
    """All sessions of one appliance; `remote` is None where both sites share one SSO domain."""

    def __init__(
        self,
        local: Account,
        remote: Account | None,
        *,
        session_seconds: float | None,
        lock_after: int | None,
    ) -> None:
        self.local = local
        self.remote = remote
        self.session_seconds = session_seconds
        self._lock_after = lock_after
        self._open: dict[str, Session] = {}
        self._made = 0

    def log_in(self, header: str | None, now: float) -> Session | None:
        """A new session, or None for anything but the right name and password."""
        if not self._accepts(self.local, header, now):
            return None
        self._made += 1
        session = Session(self._made, str(uuid.uuid4()), self.local.username, now)
        self._open[session.token] = session
        return session

    def find(self, token: str | None, now: float) -> Session | None:
        session = self._open.get(token or "")
        if session is None:
            return None
        if self.session_seconds is not None and now - session.opened_at >= self.session_seconds:
            del self._open[session.token]
            return None
        return session

    def end(self, session: Session) -> None:
        self._open.pop(session.token, None)

    def end_all(self) -> None:
        self._open.clear()

    def log_in_remote(
        self, session: Session, pairing_id: str, header: str | None, now: float
    ) -> bool:
        if not self._accepts(self.remote or self.local, header, now):
            return False
        session.remote_pairings.add(pairing_id)
        return True

    def remote_ready(self, session: Session, pairing_id: str) -> bool:
        """Whether the remote site would listen to this session."""
        return self.remote is None or pairing_id in session.remote_pairings

    def _accepts(self, account: Account, header: str | None, now: float) -> bool:
        given = basic_credentials(header)
        if given is None or given[0] != account.username:
            return False
        if account.locked_until is not None:
            if now < account.locked_until:
                return False
            account.locked_until = None
            account.failures.clear()
        if hmac.compare_digest(given[1].encode(), account.password.encode()):
            account.failures.clear()
            return True
        account.failures = [at for at in account.failures if now - at < LOCK_WINDOW_SECONDS]
        account.failures.append(now)
        if self._lock_after is not None and len(account.failures) >= self._lock_after:
            account.locked_until = now + LOCK_SECONDS
        return False
