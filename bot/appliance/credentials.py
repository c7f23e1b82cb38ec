"""Who the bot is at an appliance, what it trusts there, and the session that it has. All may change
while the bot runs: passwords expire, certificates are replaced, and nobody restarts a bot then."""

from __future__ import annotations

import base64
import threading
from dataclasses import dataclass, field

from pydantic import SecretStr

from bot.appliance.tls import Trust


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

    `answered_at`: monotonic second of the last answer on it. `remote`: by pairing, when the remote
    session was made on it, or None where that was tried and failed.
    """

    token: str
    proven: bool = False
    answered_at: float | None = None
    remote: dict[str, float | None] = field(default_factory=dict)
    remote_locks: dict[str, threading.Lock] = field(default_factory=dict)
