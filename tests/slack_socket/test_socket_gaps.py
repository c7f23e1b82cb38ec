"""How long it waits before it tries again."""

from __future__ import annotations

import pytest

from bot.slack.socket_gaps import LONGEST_GAP_S, Gaps


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def reconnecting(clock: Clock, chance: float = 1.0) -> Gaps:
    return Gaps(clock, 1.0, settled_s=10.0, chance=lambda: chance)


def test_the_first_time_at_once() -> None:
    assert reconnecting(Clock()).due()


def test_gaps_double_up_to_a_minute() -> None:
    tries = reconnecting(Clock())
    assert [tries.failed() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert [tries.failed() for _ in range(2000)][-1] == LONGEST_GAP_S


def test_chance_shortens_to_no_less_than_half() -> None:
    tries = reconnecting(Clock(), chance=0.0)
    assert [tries.failed() for _ in range(4)] == [0.5, 1, 2, 4]


def test_what_slack_asks_for_is_waited_for() -> None:
    clock = Clock()
    tries = reconnecting(clock)
    assert tries.failed(30) == 30
    clock.now += 29.9
    assert not tries.due()
    clock.now += 0.1
    assert tries.due()
    assert tries.failed(0) == 2


def test_after_a_good_connection_at_once_and_from_the_start() -> None:
    clock = Clock()
    tries = reconnecting(clock)
    for _ in range(5):
        tries.failed()
    tries.lost(10.0)
    assert tries.due()
    assert tries.failed() == 1


@pytest.mark.parametrize("lived", [0.0, 9.9])
def test_a_connection_that_hardly_lived_counts_as_a_failure(lived: float) -> None:
    tries = reconnecting(Clock())
    tries.failed()
    tries.lost(lived)
    assert not tries.due()
    assert tries.failed() == 4
