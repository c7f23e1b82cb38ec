"""The worker's side of a store, in this process: looks for work, and claims."""

from __future__ import annotations

import time

from bot.request.model import State
from bot.store.database import Database
from bot.store.queues import Queue
from bot.store.requests import Requests
from tests.store.samples import born

LEASE_MS = 60_000


class Claimer:
    """On one store, without a bot on it."""

    def __init__(self, url: str) -> None:
        self._store = Requests(db=Database(url), lease_ms=LEASE_MS)

    def close(self) -> None:
        self._store.db.close()

    def seconds_to_look(self) -> float:
        """What the threads of all queues ask at each wake, where there is nothing to do. Raises
        RuntimeError when there was something."""
        store = self._store
        began = time.perf_counter()
        found: list[object] = [store.event_without_row()]
        for queue in Queue:
            found += [store.claim(queue), store.next_due(queue)]
        seconds = time.perf_counter() - began
        if any(one is not None for one in found):
            raise RuntimeError(f"there was something to do: {found}")
        return seconds

    def add_one(self) -> None:
        """A request that waits for a decision beside all that have ended."""
        born(self._store.db, 1, State.PENDING)

    def seconds_to_claim(self) -> float:
        """That request, claimed and released. Raises RuntimeError when there is none."""
        store = self._store
        began = time.perf_counter()
        claim = store.claim(Queue.DECIDE)
        if claim is None:
            raise RuntimeError("a request that is due was not claimed")
        store.release(claim, due_at=0)
        return time.perf_counter() - began

    def remove_it(self) -> None:
        """A bot that is started on this store could do nothing with a request out of nothing."""
        with self._store.db.write() as connection:
            connection.exec_driver_sql("DELETE FROM requests WHERE due_at IS NOT NULL")
