"""Who waits for work, and who tells them that there may be some."""

from __future__ import annotations

import threading
from enum import StrEnum


class Room(StrEnum):
    """Who waits for what: the threads of each lane (`bot.store.lanes`), threads that post."""

    CHECK = "check"
    DECIDE = "decide"
    ACT = "act"
    POST = "post"


NET_SECONDS = 2.0
"""The net under the wakes, held by the first thread of each room: what another process has put into
a file (the command line) is seen by then."""

OTHERS_NET_SECONDS = 5.0
"""The other threads' net, for as long as the first is at a slow server: an idle bot should cost
next to nothing, and they all ask the database the same."""


def nets(threads: int) -> tuple[float, ...]:
    """How long each thread of one room may sleep when nobody wakes it, in seconds."""
    return tuple(OTHERS_NET_SECONDS if number else NET_SECONDS for number in range(threads))


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
        self._ended: set[Room] = set()

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

    def end(self, *rooms: Room) -> None:
        """Nobody waits in these rooms any more. One last wake would not do: a thread that looked
        at its own flag just before it, and took the count just after, would sleep for its whole net
        (seen: every sixth stop of an idle bot took five seconds)."""
        for room in rooms:
            with self._changed[room]:
                self._ended.add(room)
                self._changed[room].notify_all()

    def wait(self, room: Room, seen: int, seconds: float) -> None:
        with self._changed[room]:
            self._changed[room].wait_for(
                lambda: self._count[room] != seen or room in self._ended, timeout=seconds
            )
