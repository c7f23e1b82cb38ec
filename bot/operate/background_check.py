"""What the running bot checks by itself: a check at the start, repeated until it is clean.

What it finds wrong are the hints of `/readyz`. What can never become right ends the process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Event, Thread

import structlog

from bot.operate.check_line import Line, Result

log = structlog.get_logger(__name__)

AGAIN_SECONDS = 300.0
"""The running bot checks again this often while something is wrong. Otherwise a fault that has
passed would stay in `/readyz` until a restart."""

STOP_SECONDS = 1.0
"""The thread may be waiting for a server that hangs. It can be left behind: it holds nothing that
has to be released."""


class BackgroundCheck:
    """A fault that can pass is a warning in the log, once, and a hint as long as it lasts. A fault
    that cannot ends the process: `end` is called with a sentence. A refused token is one, although
    a supervisor will start the bot again and again. A bot without Slack can neither be asked nor
    answer, every supervisor shows to people that a process ended, and a rolling deployment stops
    there while the old copies still work. A loop of such restarts does no harm: each asks Slack one
    question, and ends before a log-in to any appliance.

    This is so only until this process has seen the token accepted. If it is revoked later, that is
    a hint, because tasks of the appliance are still being followed.
    """

    def __init__(
        self,
        found: Callable[[], Iterable[Line]],
        end: Callable[[str], None],
        again_seconds: float = AGAIN_SECONDS,
    ) -> None:
        self._found = found
        self._end = end
        self._again_seconds = again_seconds
        self._stopping = Event()
        self._hints: dict[str, str] = {}
        self._once_fine: set[str] = set()
        self._thread = Thread(target=self._run, name="check", daemon=True)

    def start(self) -> None:
        """Returns at once; the checks run in a thread."""
        self._thread.start()

    def stop(self, seconds: float = STOP_SECONDS) -> bool:
        """Whether the thread ended in this time. May be called repeatedly, and without `start`."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def hints(self) -> dict[str, str]:
        """What was wrong at the last check: the key of each line, and what it says."""
        return self._hints.copy()

    def _run(self) -> None:
        while self.once() and self._hints:
            if self._stopping.wait(self._again_seconds):
                return

    def once(self) -> bool:
        """One round of checks. False if no other may follow, since the bot stops."""
        for line in self._found():
            if self._stopping.is_set():
                return False
            if line.final and line.key not in self._once_fine:
                self._end(f"{line.sentence}.")
                return False
            if line.result is Result.WRONG:
                if line.key not in self._hints:
                    words, step = line.words, line.next_step
                    log.warning("check_failed", line=line.key, words=words, next_step=step)
                self._hints[line.key] = line.sentence
            elif line.ok:  # a skipped line says nothing new, so an older hint about it stays
                self._once_fine.add(line.key)
                if self._hints.pop(line.key, None):
                    log.info("check_fine_again", line=line.key)
        return True
