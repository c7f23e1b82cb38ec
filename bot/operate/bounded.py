"""A time limit for a read that may hang, so that scrapes and probes are answered all the same."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Lock, Thread
from typing import Generic, TypeVar

SECONDS = 3.0
"""A scrape makes two such reads, and Prometheus gives up after 10 s by default."""

Read = TypeVar("Read")


class Bounded(Generic[Read]):
    """Raises what the read raised, or TimeoutError. If a read of an earlier call still hangs, that
    one is waited for again, so threads do not pile up while the database does not answer."""

    def __init__(self, read: Callable[[], Read], seconds: float = SECONDS) -> None:
        self._read = read
        self._seconds = seconds
        self._lock = Lock()
        self._running: Future[Read] | None = None

    def __call__(self) -> Read:
        return self.begun().result(self._seconds)

    def begun(self) -> Future[Read]:
        """The read that is under way, or a new one."""
        with self._lock:
            running = self._running
            if running is None or running.done():
                running = self._running = Future()
                # A daemon, since a read that hangs must not keep the process from ending.
                Thread(target=self._run, args=(running,), name="bounded", daemon=True).start()
            return running

    def _run(self, future: Future[Read]) -> None:
        try:
            future.set_result(self._read())
        except BaseException as error:  # raised again in the thread that waits
            future.set_exception(error)


def in_time(check: Callable[[], str | None], seconds: float, late: str) -> Callable[[], str | None]:
    """The same check, which returns `late` when it has not ended within `seconds`.

    On a connection that silently drops everything, a check hangs for seconds. Probes come more
    often than that, and would block all threads that serve HTTP.
    """
    look = Bounded(check)

    def ask() -> str | None:
        begun = look.begun()
        done, _ = wait([begun], seconds)
        return begun.result() if done else late

    return ask
