"""SIGTERM and SIGINT: none is lost between the program's first line and the end of the wait."""

from __future__ import annotations

import os
import signal

_ENDED = b"\0"
"""Python writes the number of a signal into the pipe, and no signal has the number 0."""


class StopSignals:
    """Must be made before anything else. Without handlers, a SIGTERM during the imports would kill
    the process (code -15), and for process 1 of a container the kernel would drop it.

    The wait reads a pipe that Python writes to when the signal arrives. A wait for a queue or a
    lock would sleep on if the signal came just before it began, or to another thread. The host
    would then kill a process that should have finished its work.
    """

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)  # `set_wakeup_fd` requires it
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)

    def end(self) -> None:
        """Ends the wait from any thread."""
        os.write(self._writing, _ENDED)

    def wait(self) -> bool:
        """Waits for a signal or for `end`. Whether it was a signal that came first."""
        return os.read(self._reading, 1) != _ENDED
