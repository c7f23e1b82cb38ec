"""Checks what the bot needs, in the background of the start.

A fault that cannot pass ends the process. One that can is a warning in the log, once, and a hint in
`/readyz` as long as it lasts.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import structlog

from bot.core.finding import Finding, Standing

log = structlog.get_logger(__name__)

AGAIN_SECONDS = 300.0
"""Checked again this often while there are hints. Otherwise a fault that has passed would stay in
`/readyz` until a restart."""

STOP_SECONDS = 1.0
"""The thread may be waiting for a server that hangs. It can be left behind: it holds nothing that
has to be released."""


class StartLook:
    """`look` makes the findings; `end` is called with a sentence when running on is useless.

    A refused token ends the process, although a supervisor will start it again and again. A bot
    without Slack can neither be asked nor answer, every supervisor shows to people that a process
    ended, and a rolling deployment stops there while the old copies still work. A loop of such
    restarts does no harm: each asks Slack one question, and ends before a log-in to any appliance.
    Stored requests only lose time, as they would if Slack were down.

    This is so only until this process has seen the token accepted. If it is revoked later, that is
    a hint, because tasks of the appliance are still being followed.
    """

    def __init__(
        self,
        look: Callable[[], Iterable[Finding]],
        end: Callable[[str], None],
        again_seconds: float = AGAIN_SECONDS,
    ) -> None:
        self._look = look
        self._end = end
        self._again_seconds = again_seconds
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._hints: dict[str, str] = {}
        self._once_fine: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="start-look", daemon=True)

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
        """What was wrong at the last check: the key of each finding, and what it says."""
        with self._lock:
            return dict(self._hints)

    def _run(self) -> None:
        while self.once() and self.hints():
            if self._stopping.wait(self._again_seconds):
                return

    def once(self) -> bool:
        """One round of checks. False if no other may follow, since the bot stops."""
        for finding in self._look():
            if self._stopping.is_set():
                return False
            if finding.final and finding.key not in self._once_fine:
                self._end(_sentence(finding))
                return False
            self._keep(finding)
        return True

    def _keep(self, finding: Finding) -> None:
        # A skipped line says nothing new, so an older hint about it stays.
        with self._lock:
            before = self._hints.get(finding.key)
            if finding.standing is Standing.WRONG:
                self._hints[finding.key] = _words(finding)
            elif finding.ok:
                self._once_fine.add(finding.key)
                self._hints.pop(finding.key, None)
        if finding.standing is Standing.WRONG and before is None:
            words, step = finding.words, finding.next_step
            log.warning("check_failed", line=finding.key, words=words, next_step=step)
        elif finding.ok and before is not None:
            log.info("check_fine_again", line=finding.key)


def _words(finding: Finding) -> str:
    return "; ".join(part for part in (finding.words, finding.next_step) if part)


def _sentence(finding: Finding) -> str:
    return f"{_words(finding)}."
