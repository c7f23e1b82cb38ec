"""Wakes the threads that wait for work when there may be some."""

from __future__ import annotations

import threading
from enum import StrEnum


class Room(StrEnum):
    """Groups of waiting threads: those of each lane (`bot.store.lanes`), and those that post."""

    CHECK = "check"
    DECIDE = "decide"
    ACT = "act"
    POST = "post"


NET_SECONDS = 2.0
"""How long the first thread of each room sleeps at most. Another process (a copy on the same
PostgreSQL, the command line) cannot wake us, so what it stores is found this late. Mostly whoever
stores something works on it too: only what it holds or leaves behind waits for this."""

OTHERS_NET_SECONDS = 5.0
"""The same for the other threads, in case a slow server holds up the first one. It is longer, since
all of them ask the database the same question and an idle bot should cost next to nothing."""


def nets(threads: int) -> tuple[float, ...]:
    """How long each thread of one room may sleep when nobody wakes it, in seconds."""
    return tuple(OTHERS_NET_SECONDS if number else NET_SECONDS for number in range(threads))


class Wakes:
    """Tells waiting threads of this process that something may be due. Should a wake be missed,
    they look by themselves after a while (`nets`).

    A wake wakes one thread of a room. All of them would ask the database the same question and keep
    the interpreter from the one that has work (measured: 8 threads that woke at each commit took
    longer than all calls of a story together). A busy thread notices the wake before it would wait,
    so none is lost.
    """

    def __init__(self) -> None:
        lock = threading.Lock()
        self._changed = {room: threading.Condition(lock) for room in Room}
        self._count = dict.fromkeys(Room, 0)
        self._ended: set[Room] = set()

    def seen(self, room: Room) -> int:
        """Call this before looking for work and pass the result to `wait`, so that no wake between
        the two is missed."""
        with self._changed[room]:
            return self._count[room]

    def wake(self, *rooms: Room) -> None:
        for room in rooms:
            with self._changed[room]:
                self._count[room] += 1
                self._changed[room].notify()

    def end(self, *rooms: Room) -> None:
        """From now on nobody waits in these rooms. One last wake would not be enough: a thread that
        looked at its own flag just before the wake, and took the count just after it, would sleep
        its full time (seen: every sixth stop of an idle bot took five seconds)."""
        for room in rooms:
            with self._changed[room]:
                self._ended.add(room)
                self._changed[room].notify_all()

    def wait(self, room: Room, seen: int, seconds: float) -> None:
        with self._changed[room]:
            self._changed[room].wait_for(
                lambda: self._count[room] != seen or room in self._ended, timeout=seconds
            )
