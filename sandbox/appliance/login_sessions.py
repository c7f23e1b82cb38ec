"""Log-ins and sessions of the simulated appliance, accounts that get locked, and how many calls a
session or an address may make in a minute."""

from __future__ import annotations

import base64
import binascii
import hmac
import math
import uuid
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field

# vCenter Single Sign-On's lockout policy as it is delivered: five wrong passwords within three
# minutes lock the account for five. A client that logs in again in a loop must feel it here.
LOCK_AFTER = 5
LOCK_WINDOW_SECONDS = 180.0
LOCK_SECONDS = 300.0

WINDOW_SECONDS = 60.0


class CallLimit:
    """At most `calls` per key in any 60 seconds; `calls` None is no limit.

    The vendor's numbers (documentation, 8.8 and later) are 50 per session and 100 per address.
    """

    def __init__(self, calls: int | None) -> None:
        self.calls = calls
        self._times: dict[Hashable, deque[float]] = {}

    def seconds_to_wait(self, key: Hashable, now: float) -> int | None:
        """None when the call may pass, and then it is counted; else whole seconds, at least 1."""
        if self.calls is None:
            return None
        times = self._times.setdefault(key, deque())
        while times and now - times[0] >= WINDOW_SECONDS:
            times.popleft()
        if len(times) < self.calls:
            times.append(now)
            return None
        oldest = times[0] if times else now
        return max(1, math.ceil(oldest + WINDOW_SECONDS - now))


@dataclass
class Account:
    username: str
    password: str
    failures: list[float] = field(default_factory=list)
    locked_until: float | None = None

    def accepts(self, header: str | None, now: float) -> bool:
        """Whether an Authorization header names it rightly; too many wrong passwords lock it."""
        given = _basic_credentials(header)
        if given is None or given[0] != self.username:
            return False
        if self.locked_until is not None:
            if now < self.locked_until:
                return False
            self.locked_until = None
            self.failures.clear()
        if hmac.compare_digest(given[1].encode(), self.password.encode()):
            self.failures.clear()
            return True
        self.failures = [at for at in self.failures if now - at < LOCK_WINDOW_SECONDS]
        self.failures.append(now)
        if len(self.failures) >= LOCK_AFTER:
            self.locked_until = now + LOCK_SECONDS
        return False


@dataclass
class Session:
    """One log-in; `remote_pairings` are those whose remote site it is logged in to as well."""

    token: str
    remote_pairings: set[str] = field(default_factory=set)


class Sessions:
    """All sessions of one appliance; `remote` is None where both sites share one SSO domain."""

    def __init__(self, local: Account, remote: Account | None, calls: int | None) -> None:
        self.local = local
        self.remote = remote
        self.per_session = CallLimit(calls)
        self.per_address = CallLimit(None if calls is None else 2 * calls)
        self._open: dict[str, Session] = {}

    def log_in(self, header: str | None, now: float) -> Session | None:
        """A new session, or None for anything but the right name and password."""
        if not self.local.accepts(header, now):
            return None
        session = Session(str(uuid.uuid4()))
        self._open[session.token] = session
        return session

    def find(self, token: str | None) -> Session | None:
        return self._open.get(token or "")

    def end_all(self) -> None:
        self._open.clear()

    def remote_ready(self, session: Session, pairing_id: str) -> bool:
        """Whether the remote site would listen to this session."""
        return self.remote is None or pairing_id in session.remote_pairings


def _basic_credentials(header: str | None) -> tuple[str, str] | None:
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
