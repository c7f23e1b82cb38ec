"""What is looked at after a while: each in its turn, in one thread, whatever else is asked for."""

from __future__ import annotations

import threading
import time
from queue import SimpleQueue

from bot.threads import Later


def test_a_thousand_wait_in_one_thread() -> None:
    before, began = threading.active_count(), time.monotonic()
    later = Later()
    done = SimpleQueue[tuple[int, float]]()
    for number in range(1_000):
        later(0.2, lambda number=number: done.put((number, time.monotonic())))  # type: ignore[misc]
    assert threading.active_count() < before + 10
    found = [done.get(timeout=60) for _ in range(1_000)]
    assert [number for number, _ in found] == list(range(1_000))
    assert found[0][1] - began >= 0.2
