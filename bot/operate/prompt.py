"""A check that answers in time, whatever it looks at."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait

Check = Callable[[], str | None]


class Prompt:
    """`check`, or `late` when it has not ended within `seconds`.

    A connection that swallows everything holds whoever uses it for seconds. Probes come more often
    than that, and would take all threads that serve HTTP; so one look is made at a time, beside
    them, and all who ask meanwhile wait for that one.
    """

    def __init__(self, check: Check, seconds: float, late: str) -> None:
        self._check = check
        self._seconds = seconds
        self._late = late
        self._lock = threading.Lock()
        self._look: Future[str | None] | None = None

    def __call__(self) -> str | None:
        """May raise what the check raises."""
        with self._lock:
            look = self._look
            if look is None or look.done():
                look = self._look = Future()
                threading.Thread(target=self._run, args=(look,), name="look", daemon=True).start()
        done, _ = wait([look], self._seconds)
        return look.result() if done else self._late

    def _run(self, look: Future[str | None]) -> None:
        try:
            found = self._check()
        except Exception as error:
            look.set_exception(error)
        else:
            look.set_result(found)
