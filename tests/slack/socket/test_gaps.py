"""How long it waits before it tries again."""

from __future__ import annotations

from bot.slack.receive.socket import LONGEST_GAP_S, gap_s


def test_gaps_double_up_to_a_minute() -> None:
    gaps = [gap_s(failures, 1.0, lambda: 1.0) for failures in range(1, 9)]
    assert gaps == [1, 2, 4, 8, 16, 32, 60, 60]
    assert gap_s(2000, 1.0, lambda: 1.0) == LONGEST_GAP_S


def test_chance_shortens_to_no_less_than_half() -> None:
    assert [gap_s(failures, 1.0, lambda: 0.0) for failures in range(1, 5)] == [0.5, 1, 2, 4]
