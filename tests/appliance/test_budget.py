"""The budget and the login rest, as arithmetic."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.appliance import budget as arithmetic
from bot.appliance import refused_login as login_rest
from bot.appliance.budget import (
    LATER_MS,
    WINDOW_MS,
    BudgetState,
    EffectBudget,
    MemoryBudget,
    Priority,
    ceiling,
    wait_ms,
)
from bot.appliance.http_answers import CallError
from bot.request.problem import ProblemKind as Kind
from tests.appliance.small_server import fails
from tests.support.clock import Clock

PRIORITIES = list(Priority)
MINUTE = 60.0


@dataclass
class Begun:
    """An effect of the test: when it makes its calls, and which of them is a log-in."""

    priority: Priority
    calls: int
    gap: float
    pause: float
    extra: int
    login: bool


EFFECTS = st.lists(
    st.builds(
        Begun,
        priority=st.sampled_from(PRIORITIES),
        calls=st.integers(1, 6),
        gap=st.sampled_from([0.0, 0.4, 3.0, 17.0]),
        pause=st.sampled_from([0.0, 0.3, 1.5, 4.0]),
        extra=st.integers(0, 4),
        login=st.booleans(),
    ),
    max_size=60,
)


@dataclass
class Made:
    """When calls were made, of effects that run one after the other."""

    clock: Clock = field(default_factory=lambda: Clock(1000.0))
    at: list[float] = field(default_factory=list)

    def run(self, budget: MemoryBudget, begun: Begun) -> float | None:
        """All its calls, or those before it has to wait; how long it has to."""
        effect = EffectBudget(budget, begun.priority, calls=begun.calls)
        try:
            for number in range(begun.calls + begun.extra):
                effect.pay(login_rest.begin_login if begun.login and number == 0 else None)
                self.at.append(self.clock.now)
                self.clock.now += begun.pause
                if begun.login and number == 0:
                    budget.change(login_rest.call_worked)
        except CallError as exc:
            effect.give_back()
            return exc.retry_after_seconds
        return None


def most_in_a_minute(at: list[float]) -> int:
    return max((sum(one <= other < one + MINUTE for other in at) for one in at), default=0)


@settings(max_examples=150, deadline=None)
@given(effects=EFFECTS, per_minute=st.integers(20, 60))
def test_never_more_than_the_limit_in_any_60_seconds(effects: list[Begun], per_minute: int) -> None:
    """However slow calls are, and however many more of them an effect needs than it knew."""
    made = Made()
    budget = MemoryBudget(per_minute, made.clock)
    for begun in effects:
        made.clock.now += begun.gap
        made.run(budget, begun)
        # The state goes through a database between two calls.
        budget.state = BudgetState.model_validate_json(budget.state.model_dump_json())
    assert most_in_a_minute(made.at) <= per_minute


@settings(max_examples=100, deadline=None)
@given(gaps=st.lists(st.tuples(st.floats(0, 10), st.floats(0, 30)), max_size=40))
def test_a_delete_that_comes_later_was_counted_until_then(gaps: list[tuple[float, float]]) -> None:
    """Counted with the reading, sent up to ten seconds after it."""
    made = Made()
    budget = MemoryBudget(20, made.clock)
    for until_delete, until_next in gaps:
        effect = EffectBudget(budget, Priority.ACT, calls=5, later=1)
        try:
            for _ in range(4):
                effect.pay()
                made.at.append(made.clock.now)
        except CallError:
            made.clock.now += 1
            continue
        made.clock.now += until_delete
        made.at.append(made.clock.now)
        made.clock.now += until_next
    assert most_in_a_minute(made.at) <= 20


@pytest.mark.parametrize("per_minute", [20, 40, 50])
def test_each_priority_begins_up_to_its_ceiling_by_whomever_the_minute_is_used(
    per_minute: int,
) -> None:
    assert [ceiling(p, 40) for p in PRIORITIES] == [40, 34, 28, 24]
    for priority in PRIORITIES:
        for other in PRIORITIES:
            most = ceiling(priority, per_minute)
            budget = MemoryBudget(per_minute, Clock(1000.0))
            budget.state = arithmetic.count(BudgetState(), 1_000_000, most - 4)
            EffectBudget(budget, priority, calls=4).pay()
            with fails(Kind.OVER_BUDGET):
                EffectBudget(budget, priority).pay()
            assert len(budget.state.calls_ms) == most, "what had no room is not counted"
            if ceiling(other, per_minute) > most:
                EffectBudget(budget, other).pay()


def test_an_effect_that_runs_out_waits_for_room_for_all_of_it() -> None:
    clock = Clock(1000.0)
    budget = MemoryBudget(20, clock)
    budget.state = arithmetic.count(BudgetState(), 960_000, 8)
    effect = EffectBudget(budget, Priority.CHECK, calls=4)
    for _ in range(12):
        effect.pay()
    with fails(Kind.OVER_BUDGET) as caught:
        effect.pay()
    # 12 were made and one more is needed: not when the first of the 8 leaves, but when there is
    # room for 13, so that it does not end at the same page again.
    assert caught.value.retry_after_seconds == 61
    clock.now += 61
    again = EffectBudget(budget, Priority.CHECK, calls=4)
    for _ in range(20):  # what has begun goes on up to the limit itself
        again.pay()


@settings(max_examples=150, deadline=None)
@given(effects=EFFECTS, per_minute=st.integers(20, 60))
def test_the_wait_it_names_is_long_enough_and_not_too_long(
    effects: list[Begun], per_minute: int
) -> None:
    made = Made()
    budget = MemoryBudget(per_minute, made.clock)
    for begun in effects:
        made.clock.now += begun.gap
        made.run(budget, begun)
    state, now, most = budget.state, int(made.clock.now * 1000), ceiling(Priority.CHECK, 20)
    wait = wait_ms(state, now, 4, most)
    assert 0 <= wait <= WINDOW_MS + LATER_MS
    assert wait_ms(state, now + wait, 4, most) == 0
    assert wait == 0 or wait_ms(state, now + wait - 1, 4, most) > 0


def test_a_clock_that_was_set_back_blocks_no_longer_than_a_minute() -> None:
    state = arithmetic.count(BudgetState(), 10**9, 40)
    assert wait_ms(state, 1000, 1, 40) == WINDOW_MS + LATER_MS
    state = login_rest.login_refused(BudgetState(), 10**9, "no")
    with fails(Kind.LOGIN_REST) as caught:
        login_rest.begin_login(state, 1000)
    assert caught.value.retry_after_seconds == 300


# ---- the login rest -----------------------------------------------------------------------------

EVENTS = st.lists(
    st.tuples(
        st.integers(0, 200_000),
        st.sampled_from(["fails", "refused", "works", "not sent", "call", "changed", "old"]),
    ),
    max_size=60,
)


@settings(max_examples=400, deadline=None)
@given(events=EVENTS)
def test_log_ins_never_lock_an_account(events: list[tuple[int, str]]) -> None:
    """At most two log-ins without a call that worked, or one refusal, in any five minutes; where
    the password has changed, at most two refusals. A copy with the `old` one asks as well."""
    state, now, changed = BudgetState(), 0, None
    bare: list[int] = []  # log-ins since the last call that worked
    refusals: list[int] = []
    rests: list[CallError] = []
    for gap, event in events:
        now += gap
        if event == "changed":
            changed = now
            continue
        if event == "call":
            state = login_rest.call_worked(state, now)
            bare = []
            continue
        try:
            state = login_rest.begin_login(state, now, None if event == "old" else changed)
        except CallError as exc:
            rests.append(exc)
            continue
        if event == "not sent":
            state = login_rest.login_not_sent(state, now)
            continue
        bare.append(now)
        if event in ("refused", "old"):
            refusals.append(now)
            state = login_rest.login_refused(state, now, "wrong password")
        state = BudgetState.model_validate_json(state.model_dump_json())
        lately = [at for at in refusals if now - 300_000 < at]
        if changed is None or not refusals:
            assert sum(now - 300_000 < at for at in bare) <= 2
            assert len(lately) <= 1
        assert len(lately) <= 2
    assert all(0 < (rest.retry_after_seconds or 0) <= 300 for rest in rests)


def log_in(budget: MemoryBudget) -> None:
    EffectBudget(budget, Priority.ACT).pay(login_rest.begin_login)


def test_the_third_log_in_rests_and_then_may_try_again() -> None:
    clock = Clock(1000.0)
    budget = MemoryBudget(1000, clock)
    log_in(budget)
    clock.now += 60
    log_in(budget)
    # Another copy may just be proving that it works: come back soon.
    with fails(Kind.UNPROVEN) as caught:
        log_in(budget)
    assert caught.value.retry_after_seconds == 5
    clock.now += 5
    with fails(Kind.UNPROVEN) as caught:
        log_in(budget)
    assert caught.value.retry_after_seconds == 295
    assert "2 log-ins were made and no call worked" in str(caught.value)
    clock.now += 295
    log_in(budget)
    log_in(budget)
    budget.change(login_rest.call_worked)
    log_in(budget)


def test_a_refusal_rests_at_once_and_outlasts_calls_that_work() -> None:
    clock = Clock(1000.0)
    budget = MemoryBudget(1000, clock)
    log_in(budget)
    budget.change(partial(login_rest.login_refused, why="HTTP 401"))
    budget.change(login_rest.call_worked)  # on the older session of another copy
    with fails(Kind.LOGIN_REST) as caught:
        log_in(budget)
    assert ("HTTP 401." in str(caught.value), caught.value.retry_after_seconds) == (True, 300)
    clock.now += 300
    log_in(budget)
    log_in(budget)


def test_waits_are_told() -> None:
    clock = Clock(1000.0)
    budget = MemoryBudget(20, clock)
    waits: list[tuple[str, float]] = []
    budget.on_wait = lambda who, how_long: waits.append((who, how_long))
    EffectBudget(budget, Priority.ACT, calls=17).pay()
    clock.now += 20
    with fails(Kind.OVER_BUDGET):
        EffectBudget(budget, Priority.FOLLOW).pay()
    assert waits == [("follow", 41.0)]
