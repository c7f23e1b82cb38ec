"""Ready only when every check is fine, and a read that hangs is told in time."""

from __future__ import annotations

import threading

import pytest

from bot.operate.ready import Bounded, Ready

PATIENCE_SECONDS = 60


def fails() -> str | None:
    raise OSError("disk is full")


def test_ready_only_when_every_check_is_fine() -> None:
    hint = {"slack-token": "no answer; wait"}
    assert Ready({"a": lambda: None}, lambda: hint).now() == (True, {"a": "ok", "hints": hint})
    ready, found = Ready({"a": lambda: None, "b": lambda: "away", "c": fails}).now()
    assert ready is False
    assert found == {"a": "ok", "b": "away", "c": "OSError: disk is full"}


def test_a_check_that_hangs_is_late_and_later_says_what_it_found() -> None:
    goes_on, begun = threading.Event(), threading.Semaphore(0)

    def check() -> str | None:
        begun.release()
        goes_on.wait(PATIENCE_SECONDS)
        return None

    bounded = Bounded(check, 0.02)
    ready = Ready({"database": bounded})
    for _ in range(3):
        assert ready.now() == (False, {"database": "no answer within 0.02 s"})
    assert begun.acquire(timeout=PATIENCE_SECONDS)
    assert not begun.acquire(blocking=False), "threads pile up behind it"
    goes_on.set()
    assert Bounded(check, PATIENCE_SECONDS)() is None


def test_what_the_read_raised_is_raised() -> None:
    with pytest.raises(OSError, match="disk is full"):
        Bounded(fails, PATIENCE_SECONDS)()
