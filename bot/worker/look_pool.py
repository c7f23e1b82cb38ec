"""A small pool of threads with a short queue, for requests to look at something."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

import structlog

from bot.request.ids import new_reference

log = structlog.get_logger(__name__)

THREADS = 2


class LookPool:
    """Its threads start with the first looks. If the queue is full, people are told at once, so
    that they do not wait for an answer that comes too late."""

    def __init__(self, name: str, waiting_most: int) -> None:
        self._name = name
        self._queue: queue.Queue[Callable[[], None] | None] = queue.Queue(waiting_most)
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._stopped = False

    def has_room(self) -> bool:
        return not self._stopped and not self._queue.full()

    def submit(self, look: Callable[[], None]) -> bool:
        with self._lock:
            if self._stopped:
                return False
            try:
                self._queue.put_nowait(look)
            except queue.Full:
                log.warning("lookups_full", pool=self._name, waiting=self._queue.maxsize)
                return False
            if len(self._threads) < THREADS:
                name = f"{self._name}-{len(self._threads)}"
                thread = threading.Thread(target=self._run, name=name, daemon=True)
                thread.start()
                self._threads.append(thread)
        return True

    def close(self) -> list[threading.Thread]:
        """Drop what waits, tell the threads to end, and return them so that they can be joined. A
        second call drops nothing: by then the queue holds the signals to end."""
        with self._lock:
            asked, self._stopped = self._stopped, True
            threads = list(self._threads)
        if asked:
            return threads
        dropped = 0
        while self._take_one():
            dropped += 1
        if dropped:
            log.info("lookups_dropped_at_stop", pool=self._name, count=dropped)
        for _ in threads:
            self._queue.put(None)
        return threads

    def _take_one(self) -> bool:
        try:
            self._queue.get_nowait()
        except queue.Empty:
            return False
        return True

    def _run(self) -> None:
        while (look := self._queue.get()) is not None:
            try:
                look()
            except Exception:
                # It only affects one person who looked at something. The thread must go on for the
                # next one.
                log.exception("lookup_failed", reference=new_reference())
