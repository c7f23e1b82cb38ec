"""Waits and log-ins are told, and the gate behind does what it did before."""

from __future__ import annotations

import pytest

from bot.appliance.errors import OverBudget, Resting
from bot.appliance.gate import REST_MS, GateState, MemoryGate, Priority, rest_seconds
from bot.appliance.observed_gate import ObservedGate


class Watched:
    def __init__(self, calls_per_minute: int = 40) -> None:
        self.seconds = 1000.0
        self.waits: list[tuple[str, float]] = []
        self.logins: list[str] = []
        inner = MemoryGate(calls_per_minute, monotonic=lambda: self.seconds)
        self.gate = ObservedGate(
            inner, lambda who, how_long: self.waits.append((who, how_long)), self.logins.append
        )


def test_a_call_that_has_to_wait() -> None:
    watched = Watched(calls_per_minute=2)
    watched.gate.take(Priority.ACT, calls=2)
    watched.seconds += 20
    with pytest.raises(OverBudget):
        watched.gate.take(Priority.ACT)
    assert watched.waits == [("act", 40.0)]


def test_log_ins_by_how_they_ended() -> None:
    watched = Watched()
    watched.gate.before_login()
    watched.gate.login_not_sent()
    watched.gate.before_login()
    watched.gate.login_worked()
    watched.gate.call_worked()
    watched.gate.before_login()
    watched.gate.login_refused("wrong password")
    with pytest.raises(Resting):
        watched.gate.before_login()
    assert watched.logins == ["not_sent", "worked", "refused", "resting"]


def test_how_long_it_rests() -> None:
    now = 5_000_000
    assert rest_seconds(GateState(), now) == 0
    refused = GateState(rests_until_ms=now + REST_MS, why="refused")
    assert rest_seconds(refused, now) == REST_MS / 1000
    assert rest_seconds(refused, now + REST_MS) == 0
    never_proven = GateState(logins_without_success=2, last_login_ms=now)
    assert rest_seconds(never_proven, now + 10_000) == (REST_MS - 10_000) / 1000
