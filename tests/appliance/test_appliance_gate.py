"""The budget and the rests, as arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.appliance import gate as arithmetic
from bot.appliance.budget import CHECK_CALLS, Priority, at_once, ceiling
from bot.appliance.errors import OverBudget, Resting, Unproven
from bot.appliance.gate import GateState, MemoryGate
from bot.settings.appliance import CALLS_LEAST

PRIORITIES = list(Priority)
STEPS = st.lists(
    st.tuples(st.integers(0, 20_000), st.sampled_from(PRIORITIES), st.integers(1, 4)), max_size=80
)


@dataclass
class Clock:
    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


def take(
    state: GateState, now_ms: int, priority: Priority, calls: int, per_minute: int
) -> tuple[GateState, float | None]:
    try:
        return arithmetic.take(state, now_ms, priority, calls, per_minute), None
    except OverBudget as exc:
        return state, exc.retry_after_seconds or 0.0


@settings(max_examples=150, deadline=None)
@given(steps=STEPS, per_minute=st.integers(1, 60))
def test_never_more_than_the_limit_in_any_60_seconds(
    steps: list[tuple[int, Priority, int]], per_minute: int
) -> None:
    state, now, made = GateState(), 0, []
    for gap, priority, calls in steps:
        now += gap
        state, refused = take(state, now, priority, calls, per_minute)
        if refused is None:
            made += [now] * calls
        # The state goes through a database between two calls.
        state = GateState.model_validate_json(state.model_dump_json())
    for begin in made:
        assert sum(begin <= at < begin + 60_000 for at in made) <= per_minute


@settings(max_examples=150, deadline=None)
@given(steps=STEPS, per_minute=st.integers(10, 60))
def test_there_is_always_headroom_for_what_matters_more(
    steps: list[tuple[int, Priority, int]], per_minute: int
) -> None:
    """However the others press, a higher priority still finds its part of the window."""
    for index, wanted in enumerate(PRIORITIES[:-1]):
        lower = PRIORITIES[index + 1 :]
        state, now = GateState(), 0
        for gap, priority, calls in steps:
            now += gap
            if priority in lower:
                state, _ = take(state, now, priority, calls, per_minute)
        room = ceiling(wanted, per_minute) - ceiling(lower[0], per_minute)
        assert room >= 1 or per_minute < 20, "below that a whole check may be all there is"
        if room == 0:
            continue
        _, refused = take(state, now, wanted, room, per_minute)
        assert refused is None


@settings(max_examples=150, deadline=None)
@given(steps=STEPS, per_minute=st.integers(1, 60))
def test_the_wait_it_names_is_long_enough_and_not_too_long(
    steps: list[tuple[int, Priority, int]], per_minute: int
) -> None:
    state, now = GateState(), 0
    for gap, priority, calls in steps:
        now += gap
        if calls > at_once(priority, calls, per_minute):
            continue
        state, wait = take(state, now, priority, calls, per_minute)
        if wait is not None:
            assert 0 < wait <= 60
            just_before = now + round(wait * 1000) - 1
            assert take(state, just_before, priority, calls, per_minute)[1] is not None
            assert take(state, just_before + 1, priority, calls, per_minute)[1] is None


def test_the_default_budget() -> None:
    assert [ceiling(p, 40) for p in PRIORITIES] == [40, 32, 20, 14]
    assert [ceiling(p, 1) for p in PRIORITIES] == [1, 1, 1, 1]


@pytest.mark.parametrize("per_minute", range(CALLS_LEAST, 61))
def test_a_whole_check_fits_whatever_the_limit_is(per_minute: int) -> None:
    assert CALLS_LEAST >= CHECK_CALLS
    for priority in (Priority.CHECK, Priority.PREVIEW):
        assert ceiling(priority, per_minute) >= CHECK_CALLS
        _, refused = take(GateState(), 0, priority, CHECK_CALLS, per_minute)
        assert refused is None


def test_what_is_done_for_requests_leaves_looks_their_share() -> None:
    """A whole story, and a task that is followed, are none of the calls of who looks."""
    state, _ = take(GateState(), 0, Priority.ACT, 8, 40)
    for at in range(0, 60_000, 5_000):
        state, refused = take(state, at, Priority.FOLLOW, 1, 40)
        assert refused is None
    state, refused = take(state, 59_000, Priority.PREVIEW, 14, 40)
    assert refused is None
    state, refused = take(state, 59_000, Priority.CHECK, 6, 40)
    assert refused is None
    assert take(state, 59_000, Priority.CHECK, 1, 40)[1] is not None


def test_more_calls_than_a_minute_holds_are_refused() -> None:
    with pytest.raises(OverBudget):
        arithmetic.take(GateState(), 0, Priority.ACT, 11, 10)


def test_a_clock_that_was_set_back_blocks_no_longer_than_a_minute() -> None:
    state = arithmetic.take(GateState(), 10**9, Priority.ACT, 40, 40)
    _, wait = take(state, 1000, Priority.ACT, 1, 40)
    assert wait == 60
    state = arithmetic.login_refused(GateState(), 10**9, "no")
    with pytest.raises(Resting) as caught:
        arithmetic.begin_login(state, 1000)
    assert caught.value.retry_after_seconds == 300


EVENTS = st.lists(
    st.tuples(
        st.integers(0, 200_000),
        st.sampled_from(["fails", "refused", "works", "not sent", "vain", "call"]),
    ),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(events=EVENTS)
def test_log_ins_never_lock_an_account(events: list[tuple[int, str]]) -> None:
    """At most two log-ins without a call that worked, or one refusal, in any five minutes."""
    state, now = GateState(), 0
    bare: list[int] = []  # log-ins since the last call that worked
    refusals: list[int] = []
    rests: list[Resting] = []
    for gap, event in events:
        now += gap
        if event == "call":
            state = arithmetic.call_worked(state)
            bare = []
            continue
        try:
            state = arithmetic.begin_login(state, now)
        except Resting as exc:
            rests.append(exc)
            continue
        if event == "not sent":
            state = arithmetic.login_not_sent(state)
            continue
        bare.append(now)
        if event == "refused":
            refusals.append(now)
            state = arithmetic.login_refused(state, now, "wrong password")
        elif event == "works":
            state = arithmetic.login_worked(state)
        elif event == "vain":
            state = arithmetic.login_in_vain(state)
        state = GateState.model_validate_json(state.model_dump_json())
        assert sum(now - 300_000 < at for at in bare) <= 2
        assert sum(now - 300_000 < at for at in refusals) <= 1
    assert all(0 < (rest.retry_after_seconds or 0) <= 300 and rest.why for rest in rests)


def test_the_third_log_in_rests_and_then_may_try_again() -> None:
    clock = Clock()
    gate = MemoryGate(1000, clock)
    gate.before_login()
    clock.seconds += 60
    gate.before_login()
    # Somebody else may just be proving that it works: come back soon.
    with pytest.raises(Unproven) as caught:
        gate.before_login()
    assert caught.value.retry_after_seconds == 5
    clock.seconds += 5
    with pytest.raises(Unproven) as caught:
        gate.before_login()
    assert caught.value.retry_after_seconds == 295
    assert "2 log-ins were made and no call worked" in str(caught.value)
    clock.seconds += 295
    gate.before_login()
    gate.before_login()
    gate.call_worked()
    gate.before_login()


def test_two_log_ins_in_vain_are_as_good_as_refused() -> None:
    clock = Clock()
    gate = MemoryGate(1000, clock)
    gate.before_login()
    gate.login_in_vain()
    gate.before_login()
    with pytest.raises(Unproven):
        gate.before_login()
    gate.login_in_vain()
    for left in (300, 1):
        with pytest.raises(Resting) as caught:
            gate.before_login()
        assert type(caught.value) is Resting
        assert caught.value.retry_after_seconds == left
        clock.seconds += 299
    gate.before_login()
    with_one_more = gate.state
    assert (with_one_more.logins_without_success, with_one_more.in_vain) == (1, 0)


def test_what_was_in_vain_before_a_call_worked_does_not_count() -> None:
    gate = MemoryGate(1000, Clock())
    gate.before_login()
    gate.login_in_vain()
    gate.call_worked()
    gate.before_login()
    gate.login_in_vain()
    gate.before_login()
    with pytest.raises(Unproven):
        gate.before_login()


def test_a_refusal_rests_at_once_and_outlasts_calls_that_work() -> None:
    clock = Clock()
    gate = MemoryGate(1000, clock)
    gate.before_login()
    gate.login_refused("HTTP 401")
    gate.call_worked()  # on the older session of another process
    with pytest.raises(Resting) as caught:
        gate.before_login()
    assert (caught.value.why, caught.value.retry_after_seconds) == ("HTTP 401", 300)
    assert type(caught.value) is Resting
    clock.seconds += 300
    gate.before_login()
    gate.login_worked()
    gate.before_login()


def test_log_ins_that_reached_nobody_do_not_count() -> None:
    gate = MemoryGate(1000, Clock())
    for _ in range(20):
        gate.before_login()
        gate.login_not_sent()
    assert gate.state.logins_without_success == 0


def test_memory_gate_counts_what_it_is_told() -> None:
    clock = Clock()
    gate = MemoryGate(10, clock)
    gate.take(Priority.PREVIEW, 6)
    with pytest.raises(OverBudget) as caught:
        gate.take(Priority.PREVIEW)
    assert "10 calls a minute" in str(caught.value)
    assert "leaves no room for this one; there is some in 60 s." in str(caught.value)
    gate.take(Priority.ACT, 4)
    with pytest.raises(OverBudget):
        gate.take(Priority.ACT)
    clock.seconds += 60
    gate.take(Priority.ACT, 10)
