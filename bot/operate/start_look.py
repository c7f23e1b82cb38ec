"""The look at what the bot needs, in the background of the start.

What can never become right ends the process; what may is one warning in the log, and a hint in
`/readyz` for as long as it lasts.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import structlog

from bot.core.finding import Finding, Standing

log = structlog.get_logger(__name__)

AGAIN_SECONDS = 300.0
"""While there are hints. A fault that has passed must not stand in `/readyz` until a restart."""

STOP_SECONDS = 1.0
"""The thread may be waiting for a server that hangs; it holds nothing that must be put back."""


class StartLook:
    """`look` gives the findings of now; `end` is called with a sentence when there is no use.

    Why a refused token ends the process, although a supervisor will start it again and again: a
    bot without Slack can neither be asked nor answer, a process that ends is what every supervisor
    shows to people, and a rolling deployment stops there with the old copies still at work. A loop
    of such restarts does no harm: each asks Slack one question, and ends the look before a log-in
    to any appliance. Stored requests lose nothing but time, as they would with Slack away. But
    only as long as the token has never been accepted by this process: one that is revoked later is
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
        """At once; what it finds comes later."""
        self._thread.start()

    def stop(self, seconds: float = STOP_SECONDS) -> bool:
        """Whether it ended in so long. Also where it was never started, and again."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def hints(self) -> dict[str, str]:
        """Line to words, for what was wrong when it was last looked at."""
        with self._lock:
            return dict(self._hints)

    def _run(self) -> None:
        while self.once() and self.hints():
            if self._stopping.wait(self._again_seconds):
                return

    def once(self) -> bool:
        """One look. False when it was the last: all is over."""
        for finding in self._look():
            if self._stopping.is_set():
                return False
            if finding.final and finding.key not in self._once_fine:
                self._end(_sentence(finding))
                return False
            self._keep(finding)
        return True

    def _keep(self, finding: Finding) -> None:
        # What is skipped says nothing new: an older hint about it stands.
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
