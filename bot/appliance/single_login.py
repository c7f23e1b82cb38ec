"""The gate of a look from the command line. It changes nothing in the running bot's counts."""

from __future__ import annotations

import threading

from bot.appliance.errors import Resting
from bot.appliance.gate import GateState, MemoryGate, begin_login

CALLS = 50
"""The vendor's limit per session. A look has its own session and needs only a few calls."""


class SingleLogin(MemoryGate):
    """Allows one log-in, and none while the bot's log-ins pause after a refusal.

    `seen` is what the copies of the bot share at `now_ms`. If a look tried the same wrong password
    besides them, SSO would lock the account sooner.
    """

    def __init__(self, seen: GateState | None, now_ms: int) -> None:
        super().__init__(CALLS)
        self._seen = seen or GateState()
        self._seen_at_ms = now_ms
        self._used = threading.Event()

    def before_login(self) -> None:
        begin_login(self._seen, self._seen_at_ms)
        if self._used.is_set():
            raise Resting("A look logs in once.", why="one log-in has just been made")
        self._used.set()
        super().before_login()
