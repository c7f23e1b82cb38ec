"""Acknowledgements go first: work that is not urgent gives way while Slack waits for one.

Slack waits three seconds for an acknowledgement and then shows an error. Python runs one thread at
a time, so sixteen commands at once had to share it with the checks of earlier ones, and took twice
as long (measured). Acting on an approval never gives way.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST_S = 0.25
"""The most that one step waits. Even under a load that never ends each thread still does four steps
a second, and cards come in time."""


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
