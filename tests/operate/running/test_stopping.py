"""One deadline for all parts of a stop: what one has used is not there for the next."""

from __future__ import annotations

import threading

import pytest

from bot.__main__ import Deadline

PATIENCE_SECONDS = 10


@pytest.fixture
def clock() -> list[float]:
    return [1_000.0]


def test_what_is_left_is_for_all_together(clock: list[float]) -> None:
    deadline = Deadline(8.0, lambda: clock[0])
    assert (deadline.left(), deadline.left(0.5)) == (8.0, 0.5)
    clock[0] += 7.75
    assert (deadline.left(), deadline.left(0.5)) == (0.25, 0.25)
    clock[0] += 10
    assert (deadline.left(), deadline.left(0.5)) == (0.0, 0.0)
    assert deadline.passed() == 17.75


def test_whatever_has_no_limit_of_its_own_has_this_one(clock: list[float]) -> None:
    deadline, goes_on = Deadline(8.0, lambda: clock[0]), threading.Event()
    closed = threading.Event()

    def close() -> None:
        assert goes_on.wait(PATIENCE_SECONDS)
        closed.set()

    clock[0] += 8
    assert not deadline.within(close)
    goes_on.set()
    assert closed.wait(PATIENCE_SECONDS), "it goes on for as long as the process lives"
    assert Deadline(PATIENCE_SECONDS).within(close)


def test_what_must_not_be_cut_off_has_time_past_the_deadline(clock: list[float]) -> None:
    deadline = Deadline(8.0, lambda: clock[0])
    clock[0] += 9
    closed = threading.Event()

    def close() -> None:
        assert not closed.wait(0.1), "nobody else sets it"
        closed.set()

    assert deadline.within(close, at_least_s=PATIENCE_SECONDS)
    assert closed.is_set()
