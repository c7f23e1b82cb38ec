"""Acknowledgements go first: what has time gives way to whoever Slack is waiting for.

Slack waits three seconds for an acknowledgement and shows an error after that. Python runs one
thread at a time, so sixteen commands at once used to share it with the checks of those that came
before them, and took twice as long as they need (measured). Acting on an approval never gives way.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST_S = 0.25
"""For one step: under a load that never ends everything still goes on, four steps a second a
thread, and a card comes in time."""


class GivingWay:
    """Thread-safe. `answering` is around each acknowledgement, `give_way` before each step."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._answering = 0

    @contextmanager
    def answering(self) -> Iterator[None]:
        with self._changed:
            self._answering += 1
        try:
            yield
        finally:
            with self._changed:
                self._answering -= 1
                if not self._answering:
                    self._changed.notify_all()

    def give_way(self) -> None:
        """Returns when nobody is being answered, or after LONGEST_S."""
        if not self._answering:
            return  # without the lock: this is every step of a quiet day
        with self._changed:
            self._changed.wait_for(lambda: not self._answering, timeout=LONGEST_S)
