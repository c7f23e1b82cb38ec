"""REASON_PATTERN: found anywhere in a reason, and never for longer than its time."""

from __future__ import annotations

import threading
import time

import pytest

from bot.request.who_may import PATTERN_SECONDS
from tests.slack.listeners.made import policy


@pytest.mark.parametrize(
    ("reason", "fits"),
    [
        ("CHG0031337", True),
        ("as agreed in CHG0031337, on Monday", True),
        ("two lines\nCHG0031337", True),
        ("CHG003133", False),
        ("chg0031337", False),
        ("", False),
    ],
)
def test_it_may_stand_anywhere(reason: str, fits: bool) -> None:
    assert policy(reason_pattern=r"CHG\d{7}").reason_fits(reason) is fits
    assert policy().reason_fits(reason)


@pytest.mark.parametrize(
    ("pattern", "reason"), [(r"(x+x+)+y", "x" * 3_000), (r"^(\w+\s?)*CHG$", "word " * 600)]
)
def test_a_reason_chosen_against_the_pattern_is_stopped(pattern: str, reason: str) -> None:
    """Whoever asks chooses the letters, and a listener has three seconds for its answer. There is
    room, since the engine looks at the clock only now and then."""
    began = time.process_time()
    assert not policy(reason_pattern=pattern).reason_fits(reason)
    assert time.process_time() - began < 4 * PATTERN_SECONDS


def test_others_go_on_meanwhile() -> None:
    """Otherwise whoever chose it would hold up every other click of the process."""
    hostile = policy(reason_pattern=r"(x+x+)+y")
    entered, others = threading.Event(), 0

    def match() -> None:
        entered.set()
        assert not hostile.reason_fits("x" * 3_000)

    matching = threading.Thread(target=match)
    matching.start()
    assert entered.wait(60)
    while matching.is_alive():
        time.sleep(0.001)
        others += 1
    assert others > 5, "nobody else ran"


@pytest.mark.parametrize(
    ("reason", "missing"), [("", True), (" \n\t", True), (".", False), ("moving", False)]
)
def test_blanks_are_no_reason(reason: str, missing: bool) -> None:
    assert policy(require_reason=True).reason_missing(reason) is missing
    assert not policy(require_reason=False).reason_missing(reason)


@pytest.mark.parametrize(
    ("channels", "channel", "allowed"),
    [
        (None, "C1", True),
        (None, "G1", True),
        (None, "D1", False),
        (frozenset({"C1"}), "C1", True),
        (frozenset({"C1"}), "C2", False),
        (frozenset({"D1"}), "D1", False),
    ],
)
def test_where_one_may_ask(channels: frozenset[str] | None, channel: str, allowed: bool) -> None:
    assert policy(channels=channels).channel_allowed(channel) is allowed
