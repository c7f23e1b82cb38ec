"""A check answers in time, whatever it waits for."""

from __future__ import annotations

import threading

import pytest

from bot.operate.health import in_time

LATE = "no answer from the database within 2 s"


def test_a_check_that_hangs_is_late_and_later_says_what_it_found() -> None:
    goes_on, looks = threading.Event(), []

    def check() -> str | None:
        looks.append(1)
        goes_on.wait(20)
        return None

    prompt = in_time(check, 0.05, LATE)
    assert [prompt(), prompt()] == [LATE, LATE]
    assert len(looks) == 1, "a second look was begun beside the one that hangs"
    goes_on.set()
    assert in_time(check, 20, LATE)() is None


def test_what_a_check_raises_is_raised() -> None:
    def check() -> str | None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        in_time(check, 20, LATE)()
