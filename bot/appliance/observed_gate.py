"""A gate that reports how often callers had to wait, and how log-ins went."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from bot.appliance.budget import Priority
from bot.appliance.errors import OverBudget, Resting
from bot.appliance.gate import Gate

LoginResult = Literal["worked", "refused", "not_sent", "resting"]
"""`resting`: the log-in was not tried, so that the account is not locked."""

OnWait = Callable[[str, float], None]
"""The call's `Priority`, and how many seconds it was told to wait."""

OnLogin = Callable[[LoginResult], None]


class ObservedGate:
    """A `Gate` around another one. The callbacks must not raise."""

    def __init__(self, gate: Gate, on_wait: OnWait, on_login: OnLogin) -> None:
        self._gate = gate
        self._on_wait = on_wait
        self._on_login = on_login

    def take(self, priority: Priority, calls: int = 1) -> None:
        with self._waits_told(priority):
            self._gate.take(priority, calls)

    def reserve(self, priority: Priority, calls: int, turn: str = "") -> tuple[int, ...]:
        with self._waits_told(priority):
            return self._gate.reserve(priority, calls, turn)

    def spend(self, priority: Priority, counted_ms: int) -> None:
        with self._waits_told(priority):
            self._gate.spend(priority, counted_ms)

    def give_back(self, priority: Priority, counted_ms: int, calls: int) -> None:
        self._gate.give_back(priority, counted_ms, calls)

    def before_login(self) -> None:
        try:
            self._gate.before_login()
        except Resting:
            self._on_login("resting")
            raise

    def login_not_sent(self) -> None:
        self._on_login("not_sent")
        self._gate.login_not_sent()

    def login_refused(self, why: str) -> None:
        self._on_login("refused")
        self._gate.login_refused(why)

    def login_worked(self) -> None:
        self._on_login("worked")
        self._gate.login_worked()

    def login_in_vain(self) -> None:
        self._gate.login_in_vain()

    def call_worked(self) -> None:
        self._gate.call_worked()

    @contextmanager
    def _waits_told(self, priority: Priority) -> Iterator[None]:
        try:
            yield
        except OverBudget as exc:
            self._on_wait(priority.value, exc.retry_after_seconds or 0.0)
            raise
