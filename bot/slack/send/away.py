"""While Slack as a whole gives no answer, no message is tried. One call asks now and then if it is
back.

Otherwise each waiting message would find the outage out by itself: many timeouts in a row, a log
line for each, and afterwards messages in the order of their next tries instead of final words
first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from bot.slack.send.trouble import Kind, Trouble

log = structlog.get_logger(__name__)

FIRST_GAP_MS = 1_000
LONGEST_GAP_MS = 10_000
"""Between two such calls; the gap doubles up to this. So late may a waiting message go out."""

LONGEST_ACCOUNT_GAP_MS = 60_000
"""The same while the token is refused: only an operator can help, and each is a line in the log."""


class Away:
    """Threads share it. `ask` makes one call that needs the token alone and returns its trouble,
    None when it worked. `now` in ms.

    A Slack that answers may still take no messages. Until it has taken one the gaps keep growing,
    so that half an outage does not become a storm of tries either.
    """

    def __init__(self, now: Callable[[], int], ask: Callable[[], Trouble | None]) -> None:
        self._now = now
        self._ask = ask
        self._lock = threading.Lock()
        self._since: int | None = None
        self._until: int | None = None
        self._gap = 0
        self._account = False
        self._asking = False
        self.back_at = 0
        """Since when Slack has answered again, ms epoch; 0: it was never away."""

    @property
    def until(self) -> int | None:
        """When it is asked next, while nothing may be sent."""
        return self._until

    @property
    def token_refused(self) -> bool:
        """Whether Slack does answer, but refuses the token or its scopes. A `response_url` needs no
        token, so answers can still go out."""
        return self._since is not None and self._account

    def failed(self, trouble: Trouble, **where: str) -> None:
        """A message could not be sent; `where` names it in the log."""
        with self._lock:
            if self._since is None:
                self._since, self._gap = self._now(), 0
                log.warning("slack_away", error=trouble.word, **where)
            if self._until is None:
                self._wait(trouble, **where)

    def worked(self) -> None:
        """Slack has taken a message, with the token."""
        if self._since is None:
            return
        with self._lock:
            if self._since is not None:
                log.info("slack_back", away_ms=self._now() - self._since)
            self._since = self._until = None

    def over(self) -> bool:
        """Whether messages may be tried now; asks Slack when it is time to."""
        with self._lock:
            if self._until is None:
                return True
            if self._asking or self._now() < self._until:
                return False
            self._asking = True
        try:
            trouble = self._ask()
        finally:
            self._asking = False
        with self._lock:
            if trouble is not None and (trouble.away or trouble.kind is Kind.ACCOUNT):
                self._wait(trouble)
                return False
            self._until, self.back_at = None, self._now()
            return True

    def _wait(self, trouble: Trouble, **where: str) -> None:
        self._account = account = trouble.kind is Kind.ACCOUNT
        longest = LONGEST_ACCOUNT_GAP_MS if account else LONGEST_GAP_MS
        self._gap = min(max(self._gap * 2, FIRST_GAP_MS), longest)
        self._until = self._now() + self._gap
        if account:
            # For whoever watches the log: nothing can be said in Slack until somebody has acted.
            step = "check the token and its scopes (vr-unpair check)"
            log.critical("slack_refuses_the_token", error=trouble.word, help=step, **where)
