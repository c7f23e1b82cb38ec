"""How often an appliance may be asked, and logged in to: one count for all copies of the bot.

The vendor refuses more than 50 calls a minute and session, and speaks of a temporary ban. SSO locks
an account after a few refused log-ins. So both are counted in one small state that all copies
share, and each change of it is one transaction.

An effect counts its calls once, before the first one: counted one by one, a crowd would use up the
minute with first calls, and nobody would ever finish. Each priority has a ceiling on how full the
whole minute may be before it begins something. What has begun may go on up to the limit itself:
further pages of a list, a log-in, a second try.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil
from typing import Literal

from pydantic import BaseModel, ConfigDict

from bot.appliance.http_answers import CallError
from bot.request.problem import ProblemKind
from bot.steady_clock import steady_seconds

SPARE_MS = 1_000
WINDOW_MS = 60_000 + SPARE_MS
"""The vendor counts per minute. A call is made up to SPARE_MS after it was counted."""

LATER_MS = 10_000
"""The DELETE is counted with the reading before it, and made at most this long after it: a reading
that is older is made anew, with a DELETE of its own (`bot.request.plan.READINGS_FRESH_MS`)."""


class Priority(StrEnum):
    """Whose call it is, most important first."""

    ACT = "act"
    FOLLOW = "follow"
    CHECK = "check"
    LOOKUP = "lookup"


CEILING_PERCENT = {
    Priority.ACT: 100,
    Priority.FOLLOW: 85,
    Priority.CHECK: 70,
    Priority.LOOKUP: 60,
}
"""How full the whole minute may be, by whomever, after an effect of this priority has counted its
calls. At the default of 40 that is 40, 34, 28 and 24, so that an approved request, which needs 5
calls, finds room for two of its kind however many people ask. At the least of 20 it is 20, 17, 14
and 12. Ceilings on what a priority and those below it use together were tried: approved requests
waited for minutes."""


class BudgetState(BaseModel):
    """What the copies share about one appliance; all times in ms by their common clock.

    `calls_ms`: when calls were counted. `logins_unproven`: log-ins since a call last worked on a
    session of its own. `rests_until_ms` and `why`: the login rest. `refused_ms`: latest refusals.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    calls_ms: tuple[int, ...] = ()
    logins_unproven: int = 0
    last_login_ms: int | None = None
    rests_until_ms: int | None = None
    why: str = ""
    refused_ms: tuple[int, ...] = ()


# ---- arithmetic: the state before, the time, and the state after --------------------------------


def ceiling(priority: Priority, per_minute: int) -> int:
    """How many calls there may be in the minute after an effect of this priority has begun."""
    return per_minute * CEILING_PERCENT[priority] // 100


def wait_ms(state: BudgetState, now: int, calls: int, most: int) -> int:
    """How long until `calls` fit below `most`, if nobody else makes any; 0 where they fit now."""
    counted = _recent(state, now)
    excess = len(counted) + calls - most
    if excess <= 0:
        return 0
    return counted[min(excess, len(counted)) - 1] + WINDOW_MS - now if counted else WINDOW_MS


def count(state: BudgetState, now: int, calls: int, later: int = 0) -> BudgetState:
    """The state with these calls counted; `later` of them are made up to LATER_MS from now."""
    at = [now] * (calls - later) + [now + LATER_MS] * later
    return state.model_copy(update={"calls_ms": (*_recent(state, now), *at)})


def without(state: BudgetState, at: int, calls: int) -> BudgetState:
    """The state without so many of the calls that were counted at `at`."""
    counted = list(state.calls_ms)
    for _ in range(min(calls, counted.count(at))):
        counted.remove(at)
    return state.model_copy(update={"calls_ms": tuple(counted)})


def _recent(state: BudgetState, now: int) -> list[int]:
    # min: a clock that was set back must not make old calls count for longer than they should.
    return sorted(min(at, now + LATER_MS) for at in state.calls_ms if at > now - WINDOW_MS)


# ---- the state in its place -------------------------------------------------------------------

How = Callable[[BudgetState, int], BudgetState]
"""The state after a change at now (ms)."""

Change = Callable[[How], None]
"""Runs a change in a transaction, and stores it unless it raises."""


def budget_key(site: str) -> str:
    """The key under which the copies of the bot share an appliance's calls and log-ins."""
    return f"budget:{site}"


def state_of(value: str | None) -> BudgetState:
    return BudgetState.model_validate_json(value) if value else BudgetState()


def in_store(change: Callable[[Callable[[str | None, int], str]], None]) -> Change:
    """`change` of a text that is stored, as one of a state."""
    return lambda how: change(lambda value, now: how(state_of(value), now).model_dump_json())


LoginResult = Literal["worked", "refused", "not_sent", "rest"]
"""`rest`: the log-in was not tried, so that the account is not locked."""


@dataclass
class Budget:
    """The budget of one appliance. Thread-safe.

    `on_wait` is told the priority and the seconds of each call that had no room, `on_login` how
    each log-in went; neither may raise.
    """

    per_minute: int
    change: Change
    on_wait: Callable[[str, float], None] = lambda *_: None
    on_login: Callable[[LoginResult], None] = lambda *_: None
    monotonic: Callable[[], float] = steady_seconds


class MemoryBudget(Budget):
    """A budget of this process alone, from `state` on."""

    def __init__(
        self,
        calls_per_minute: int,
        monotonic: Callable[[], float] = steady_seconds,
        *,
        now: Callable[[], int] | None = None,
        state: BudgetState | None = None,
    ) -> None:
        super().__init__(calls_per_minute, self._change_here, monotonic=monotonic)
        self._now = now or (lambda: int(monotonic() * 1000))
        self.state = state or BudgetState()
        self._lock = threading.Lock()

    def _change_here(self, how: How) -> None:
        with self._lock:
            self.state = how(self.state, self._now())


@dataclass
class EffectBudget:
    """What one effect may use: its calls, and its time. For one thread.

    `calls` are counted together before the first one is made; `later` of them are not made within
    this effect, but up to LATER_MS after it began. `by`: the monotonic second at which the effect
    must be over. The others say how far it is: `left` of the calls are counted and not made yet.
    """

    budget: Budget
    priority: Priority
    calls: int = 1
    later: int = 0
    by: float = 0.0
    begun: bool = False
    made: int = 0
    left: int = 0
    counted_ms: int = 0
    later_ms: int = 0
    counted_at: float = 0.0

    def pay(self, login: How | None = None) -> None:
        """One call is about to be made; with `login`, a log-in, such as `begin_login`. Raises
        OVER_BUDGET, and what `login` raises; then it is not counted, and must not be made."""
        more = int(login is not None or (self.begun and not self.left))
        late = self.budget.monotonic() - self.counted_at > SPARE_MS / 1000
        if more or late or not self.begun:
            self._count(more, login)
        self.left -= 1
        self.made += 1

    def expect(self, calls: int) -> None:
        """So many more calls will be made, beyond those that are counted already. Raises
        OVER_BUDGET when there is no room for all of them."""
        if calls > 0:
            self._count(calls)

    def give_back(self) -> None:
        """The effect is over: what it has counted and not made is free again. While an appliance is
        away nothing is made, and the minute must not fill up with that."""
        if not self.left and not self.later:
            return
        at, left, later_at, later = self.counted_ms, self.left, self.later_ms, self.later
        self.left = self.later = 0
        self.budget.change(lambda state, _now: without(without(state, at, left), later_at, later))

    def handed_on(self) -> EffectBudget:
        """What belongs to the effect after this one, as a budget of its own: to be given back if
        that never comes."""
        kept = replace(self, left=0)
        self.later = 0
        return kept

    def _count(self, more: int, login: How | None = None) -> None:
        counted = (0, 0)

        def change(state: BudgetState, now: int) -> BudgetState:
            nonlocal counted
            state, left = self._with_calls(state, now, more)
            counted = (now, left)
            return login(state, now) if login else state

        try:
            self.budget.change(change)
        except CallError as exc:
            if exc.kind is ProblemKind.OVER_BUDGET:
                self.budget.on_wait(self.priority.value, exc.retry_after_seconds or 0.0)
            else:
                self.budget.on_login("rest")
            raise
        if not self.begun:
            self.begun, self.later_ms = True, counted[0] + LATER_MS
        self.counted_ms, self.left = counted
        self.counted_at = self.budget.monotonic()

    def _with_calls(self, state: BudgetState, now: int, more: int) -> tuple[BudgetState, int]:
        """The state with what this effect needs now, and how many calls it has then."""
        per_minute = self.budget.per_minute
        if not self.begun:
            calls = self.calls + more
            self._require(state, now, calls, ceiling(self.priority, per_minute))
            return count(state, now, calls, self.later), calls - self.later
        # What was counted and is made only now counts from now: an effect lasts for seconds, and
        # for the vendor its last calls are newer than its first.
        state = without(state, self.counted_ms, self.left)
        calls = self.left + more
        if wait_ms(state, now, calls, per_minute):
            # The effect comes again as a whole, so it waits for room for all of it.
            self._require(state, now, self.made + calls, per_minute)
        return count(state, now, calls), calls

    def _require(self, state: BudgetState, now: int, calls: int, most: int) -> None:
        wait = wait_ms(state, now, calls, most)
        if wait:
            raise CallError(
                ProblemKind.OVER_BUDGET,
                f"The bot's own limit of {self.budget.per_minute} calls a minute to this appliance"
                f" leaves no room for this one; there is some in {ceil(wait / 1000)} s.",
                retry_after_seconds=wait / 1000,
            )
