"""SIGTERM and SIGINT: none is lost, from the first line of the program to the end of the wait."""

from __future__ import annotations

import os
import signal

_ENDED = b"\0"
"""No signal has this number, and a signal's number is what Python writes for it."""


class StopSignals:
    """Made first of all. Without a handler a stop during the imports would kill with -15, and the
    kernel would drop it for the process 1 of a container.

    The wait reads a pipe, into which Python writes at the signal itself. Whatever else waits in
    the main thread, a queue or a lock, sleeps on when the signal comes just before it begins to
    (or to another thread), and the host would have to kill what was told to drain.
    """

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)  # as `set_wakeup_fd` wants it
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)

    def end(self) -> None:
        """Ends the wait from any thread."""
        os.write(self._writing, _ENDED)

    def wait(self) -> bool:
        """Whether the first that came was a signal, and not `end`."""
        return os.read(self._reading, 1) != _ENDED
