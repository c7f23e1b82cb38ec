"""A read that may hang, for at most so long: a scrape is answered while the database is away."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, Thread
from typing import Generic, TypeVar

SECONDS = 3.0
"""There are two such reads in a scrape, and Prometheus gives up after 10 s by default."""

Read = TypeVar("Read")


class Bounded(Generic[Read]):
    """Raises what the read raised, or TimeoutError. A read that still hangs from an earlier call is
    waited for once more: threads do not pile up behind a database that answers nothing."""

    def __init__(self, read: Callable[[], Read], seconds: float = SECONDS) -> None:
        self._read = read
        self._seconds = seconds
        self._lock = Lock()
        self._running: Future[Read] | None = None

    def __call__(self) -> Read:
        with self._lock:
            if self._running is None or self._running.done():
                self._running = Future()
                args = (self._running,)
                # A daemon: one that hangs must not keep the process from ending.
                Thread(target=self._run, args=args, name="scrape", daemon=True).start()
            running = self._running
        return running.result(self._seconds)

    def _run(self, future: Future[Read]) -> None:
        try:
            future.set_result(self._read())
        except BaseException as error:  # handed to whoever waits
            future.set_exception(error)
