"""Who waits for work, and who tells them that there may be some."""

from __future__ import annotations

import threading
from enum import StrEnum


class Room(StrEnum):
    """Who waits for what: threads that act, threads that check, threads that post."""

    ACT = "act"
    CHECK = "check"
    POST = "post"


class Wakes:
    """Tells waiting threads of this process that something may be due. Polling is the net.

    One thread per room and wake: all of them at once would ask the database the same question and
    keep the interpreter from the one that has something to do (measured: 8 threads that woke at
    each commit took longer than all calls of a story together). A thread that is busy sees the
    wake before it would wait, so none is lost.
    """

    def __init__(self) -> None:
        lock = threading.Lock()
        self._changed = {room: threading.Condition(lock) for room in Room}
        self._count = dict.fromkeys(Room, 0)

    def seen(self, room: Room) -> int:
        """Take before looking for work, give to `wait`: nothing between the two is missed."""
        with self._changed[room]:
            return self._count[room]

    def listen(self) -> None:
        """Nobody else to be heard: this process is the only one that makes work."""

    def wake(self, *rooms: Room) -> None:
        for room in rooms:
            with self._changed[room]:
                self._count[room] += 1
                self._changed[room].notify()

    def wake_all(self) -> None:
        """Everybody, for the end."""
        for room, changed in self._changed.items():
            with changed:
                self._count[room] += 1
                changed.notify_all()

    def wait(self, room: Room, seen: int, seconds: float) -> None:
        with self._changed[room]:
            self._changed[room].wait_for(lambda: self._count[room] != seen, timeout=seconds)
