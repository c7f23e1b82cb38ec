"""The budget of calls and log-ins that an appliance is given.

The vendor refuses more than 50 calls a minute and session, and speaks of a temporary ban. SSO locks
an account after a few refused log-ins. All processes of the bot share both limits, so the
arithmetic is made of pure functions over a state that can be stored (`GateState`), with the time
passed in. `MemoryGate` keeps that state for one process.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from math import ceil
from typing import Protocol

from bot.appliance import budget
from bot.appliance.budget import CallsState, Priority
from bot.appliance.errors import OverBudget, Resting, Unproven

# SSO counts refused log-ins over some minutes before it locks (vCenter's default policy is five
# in three minutes); one or two in five minutes can never get there.
REST_MS = 300_000

# A second log-in is needed when a session ends early. A third without a call that worked in
# between means that logging in does not help.
LOGINS_WITHOUT_SUCCESS_MAX = 2

# Several processes may log in at the same moment, after a restart of the appliance. The one that
# comes third waits this long for a call of the others to work, before it counts as a failure.
PROOF_MS = 5_000


class GateState(CallsState):
    """What must be remembered between calls; serialisable, so that processes can share it.

    `logins_without_success`: log-ins since a call last worked on a session of its own.
    `in_vain`: of how many of those the appliance itself has said that they led nowhere; what became
    of the others is not known.
    `rests_until_ms` and `why`: the pause after a refusal. Calls: `bot.appliance.budget`.
    """

    logins_without_success: int = 0
    in_vain: int = 0
    last_login_ms: int | None = None
    rests_until_ms: int | None = None
    why: str = ""


class Gate(Protocol):
    """What the client asks before it calls, and tells afterwards."""

    def take(self, priority: Priority, calls: int = 1) -> None:
        """Count calls that are about to be made. Raises OverBudget."""

    def reserve(self, priority: Priority, calls: int, turn: str = "") -> tuple[int, ...]:
        """Count calls that will be made within this effect, all or none of them: for each, the time
        by which `spend` knows it. `turn` keeps the place of whoever is refused and comes again.
        Fewer where the limit itself is smaller. Raises OverBudget."""

    def spend(self, priority: Priority, counted_ms: int) -> None:
        """One of those is made now. Raises OverBudget when it was counted too long ago."""

    def give_back(self, priority: Priority, counted_ms: int, calls: int) -> None:
        """So many of those are not needed."""

    def before_login(self) -> None:
        """Count a log-in that is about to be made. Raises Resting, or Unproven."""

    def login_not_sent(self) -> None:
        """That log-in never reached the application: it does not count."""

    def login_refused(self, why: str) -> None:
        """That log-in was refused: log-ins pause."""

    def login_worked(self) -> None:
        """That log-in gave a session, which has not yet been seen to work."""

    def login_in_vain(self) -> None:
        """That log-in was not refused, but its answer holds no session, or none that is taken."""

    def call_worked(self) -> None:
        """A call on the newest session worked."""


def take(
    state: GateState, now_ms: int, priority: Priority, calls: int, per_minute: int
) -> GateState:
    """The state after `calls` calls at `now_ms`. Raises OverBudget with the time to wait."""
    asked, wait_ms = budget.ask(state, now_ms, priority, calls, per_minute)
    if wait_ms:
        raise over_budget(wait_ms, per_minute)
    return asked


def over_budget(wait_ms: int, per_minute: int) -> OverBudget:
    return OverBudget(
        f"The bot's own limit of {per_minute} calls a minute to this appliance leaves no room"
        f" for this one; there is some in {ceil(wait_ms / 1000)} s.",
        retry_after_seconds=wait_ms / 1000,
    )


def begin_login(state: GateState, now_ms: int) -> GateState:
    """The state after one more log-in at `now_ms`. Raises Resting, which changes no state."""
    # min, here and below: a clock that was set back must not make a rest longer than a rest.
    rests_until_ms = min(state.rests_until_ms or 0, now_ms + REST_MS)
    if now_ms < rests_until_ms:
        raise _resting(Resting, rests_until_ms - now_ms, state.why)
    made = state.logins_without_success
    last_ms = min(state.last_login_ms if state.last_login_ms is not None else 0, now_ms)
    if made >= LOGINS_WITHOUT_SUCCESS_MAX:
        if state.in_vain >= LOGINS_WITHOUT_SUCCESS_MAX and now_ms < last_ms + REST_MS:
            why = "two log-ins have led to no session that the appliance accepts"
            raise _resting(Resting, last_ms + REST_MS - now_ms, why)
        if now_ms < last_ms + PROOF_MS:
            left_ms = last_ms + PROOF_MS - now_ms
            raise _resting(Unproven, left_ms, "two log-ins have just been made")
        if now_ms < last_ms + REST_MS:
            raise _resting(
                Unproven,
                last_ms + REST_MS - now_ms,
                f"{made} log-ins were made and no call worked after them",
            )
        made = 0
    return state.model_copy(
        update={
            "logins_without_success": made + 1,
            "in_vain": state.in_vain if made else 0,
            "last_login_ms": now_ms,
            "rests_until_ms": None,
            "why": "",
        }
    )


def rest_seconds(state: GateState, now_ms: int) -> float:
    """How long no log-in is made; 0 where one may be made now."""
    try:
        begin_login(state, now_ms)
    except Resting as exc:
        return exc.retry_after_seconds or 0.0
    return 0.0


def login_not_sent(state: GateState) -> GateState:
    """The state without the log-in that never reached SSO."""
    return state.model_copy(
        update={"logins_without_success": max(0, state.logins_without_success - 1)}
    )


def login_refused(state: GateState, now_ms: int, why: str) -> GateState:
    """The state after a refusal: the same password would be refused again, so rest at once."""
    return state.model_copy(update={"rests_until_ms": now_ms + REST_MS, "why": why})


def login_worked(state: GateState) -> GateState:
    """The state after a log-in that gave a session: a rest, if there was one, is over."""
    return state.model_copy(update={"rests_until_ms": None, "why": ""})


def login_in_vain(state: GateState) -> GateState:
    """The state after the appliance's word that a log-in, not refused, has led nowhere."""
    return state.model_copy(update={"in_vain": state.in_vain + 1})


def call_worked(state: GateState) -> GateState:
    """The state after a call that worked on a new session.

    A rest stays: another process may have been refused with the password as it is now.
    """
    return state.model_copy(update={"logins_without_success": 0, "in_vain": 0})


def _resting(kind: type[Resting], left_ms: int, why: str) -> Resting:
    seconds = left_ms / 1000
    return kind(
        f"The bot logs in to this appliance again in {seconds:.0f} s at the earliest, so that the"
        f" account is not locked: {why}.",
        why=why,
        retry_after_seconds=seconds,
    )


Changing = Callable[[Callable[[GateState, int], GateState]], None]
"""Runs a change of the state at now (ms) in a transaction, and stores it unless it raises."""


class SharedGate:
    """A `Gate` whose state is kept elsewhere, for all processes at once."""

    def __init__(self, calls_per_minute: int, change: Changing) -> None:
        self._per_minute = calls_per_minute
        self._change = change

    def take(self, priority: Priority, calls: int = 1) -> None:
        per_minute = self._per_minute
        self._change(lambda state, now: take(state, now, priority, calls, per_minute))

    def reserve(self, priority: Priority, calls: int, turn: str = "") -> tuple[int, ...]:
        per_minute = self._per_minute
        calls = budget.at_once(priority, calls, per_minute)
        told = (0, 0)

        def ask(state: GateState, now: int) -> GateState:
            nonlocal told
            asked, wait_ms = budget.ask(state, now, priority, calls, per_minute, turn)
            told = (now, wait_ms)
            return asked

        # Raised after it is stored: a refusal has a place in the queue.
        self._change(ask)
        counted_ms, wait_ms = told
        if wait_ms:
            raise over_budget(wait_ms, per_minute)
        return (counted_ms,) * calls

    def give_back(self, priority: Priority, counted_ms: int, calls: int) -> None:
        self._change(lambda state, now: budget.give_back(state, now, priority, counted_ms, calls))

    def spend(self, priority: Priority, counted_ms: int) -> None:
        per_minute = self._per_minute

        def pay(state: GateState, now: int) -> GateState:
            paid, wait_ms = budget.spend(state, now, priority, counted_ms, per_minute)
            if wait_ms:
                raise over_budget(wait_ms, per_minute)
            return paid

        self._change(pay)

    def before_login(self) -> None:
        self._change(begin_login)

    def login_not_sent(self) -> None:
        self._change(lambda state, _now: login_not_sent(state))

    def login_refused(self, why: str) -> None:
        self._change(lambda state, now: login_refused(state, now, why))

    def login_worked(self) -> None:
        self._change(lambda state, _now: login_worked(state))

    def login_in_vain(self) -> None:
        self._change(lambda state, _now: login_in_vain(state))

    def call_worked(self) -> None:
        self._change(lambda state, _now: call_worked(state))


class MemoryGate(SharedGate):
    """A `Gate` for one process. Thread-safe."""

    def __init__(
        self, calls_per_minute: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(calls_per_minute, self._change_here)
        self._monotonic = monotonic
        self._state = GateState()
        self._lock = threading.Lock()

    @property
    def state(self) -> GateState:
        """The state of this moment."""
        return self._state

    def _change_here(self, how: Callable[[GateState, int], GateState]) -> None:
        with self._lock:
            self._state = how(self._state, int(self._monotonic() * 1000))
