"""The poster: whatever is due in the outbox goes to Slack, drawn from the row at that moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import structlog
from slack_sdk import WebClient

from bot.core.delivery import Drawn, Due, OutboxPort
from bot.core.entries import Answer
from bot.core.messages import Message
from bot.core.request import Request
from bot.slack.sending import Failed, Method, Outcome, Sent, send, tell
from bot.slack.trouble import Kind

log = structlog.get_logger(__name__)

FIRST_GAP_MS = 1_000
LONGEST_GAP_MS = 60_000
"""Between two tries of one message: doubling, and never so long that an outage has a long tail."""

ACCOUNT_GAP_MS = 60_000
"""Only an operator can help: seldom enough not to flood the log, often enough to notice."""

IDLE_S = 1.0
"""How long to sleep when nothing is due; the outbox wakes us when something is, but not for `stop`,
which waits that long."""

AFTER_FAULT_S = 1.0
"""After an error of the store: the database may be away, and a loop must not burn."""

NO_LONGER_WANTED = "no_longer_wanted"


class Poster:
    """`start` and `stop` once. Several threads: one slow call must not hold up final words.

    A message that the row no longer wants is given up (`no_longer_wanted`) without any call: `sent`
    would make the outbox compare it with what was wanted and make it due again at once.
    """

    def __init__(
        self,
        outbox: OutboxPort,
        client: WebClient,
        draw: Callable[[Request, str], Drawn],
        draw_answer: Callable[[Answer, Request | None], Drawn],
        wanted: Callable[[Request, int], Sequence[Message]],
        *,
        threads: int = 2,
    ) -> None:
        self._outbox = outbox
        self._client = client
        self._draw = draw
        self._draw_answer = draw_answer
        self._wanted = wanted
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._paused: dict[Method, int] = {}
        self._threads = [
            threading.Thread(target=self._run, name=f"poster-{n}", daemon=True)
            for n in range(threads)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Calls in hand are finished, nothing new is begun; returns when the threads have ended."""
        self._stopping.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def once(self) -> bool:
        """Deliver one message; False when nothing was due."""
        due = self._outbox.claim(self.paused_until())
        if due is None:
            return False
        self._deliver(due)
        return True

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if not self.once():
                    self._outbox.wait(IDLE_S)
            except Exception:
                # The claimed message comes back by itself when its lease is over.
                log.exception("poster_failed")
                self._stopping.wait(AFTER_FAULT_S)

    # ---- one message --------------------------------------------------------------------------

    def _deliver(self, due: Due) -> None:
        request = self._outbox.request(due.request_id)
        try:
            drawn = self._drawn(due, request)
        except Exception:
            # A fault of ours in one message: the others go on, this one is tried again later,
            # perhaps by a version that can draw it.
            log.exception("not_drawn", request=due.request_id, slot=due.slot)
            self._put_off(due, self._gap(due), "not_drawn")
            return
        if drawn is None:
            self._outbox.given_up(due, error=NO_LONGER_WANTED)
        elif drawn.digest == due.shown:
            self._outbox.sent(due, ts=due.ts, digest=drawn.digest)
        else:
            self._settle(due, drawn, self._send(due, drawn))

    def _drawn(self, due: Due, request: Request | None) -> Drawn | None:
        if due.answer is not None:
            return self._draw_answer(due.answer, request)
        if request is None:
            return None
        slots = {m.slot for m in self._wanted(request, self._outbox.now())}
        return self._draw(request, due.slot) if due.slot in slots else None

    def _send(self, due: Due, drawn: Drawn) -> Outcome:
        if due.answer is not None:
            return tell(self._client, due, drawn, posts_paused="post" in self.paused_until())
        return send(self._client, due, drawn)

    def _settle(self, due: Due, drawn: Drawn, outcome: Outcome) -> None:
        if isinstance(outcome, Sent):
            self._outbox.sent(due, ts=outcome.ts, digest=drawn.digest)
            log.info("sent", request=due.request_id, slot=due.slot, edit=due.ts is not None)
            return
        self._settle_failed(due, outcome)

    def _settle_failed(self, due: Due, failed: Failed) -> None:
        """The one place that decides between again, later, and never."""
        word = failed.trouble.word
        where = {"request": due.request_id, "slot": due.slot, "error": word}
        match failed.trouble.kind:
            case Kind.LIMITED:
                until = self._outbox.now() + failed.trouble.retry_after_s * 1000
                self._pause(failed.method, until)
                log.warning("rate_limited", method=failed.method, until=until, **where)
                self._outbox.put_off(due, until=until, error=word)
            case Kind.PASSING:
                log.warning("not_sent", attempts=due.attempts + 1, **where)
                self._put_off(due, self._gap(due), word)
            case Kind.ACCOUNT:
                log.critical(
                    "slack_refuses_the_token", help="check the token and its scopes", **where
                )
                self._put_off(due, ACCOUNT_GAP_MS, word)
            case Kind.FINAL:
                log.warning("given_up", **where)
                self._outbox.given_up(due, error=word)

    # ---- waiting ------------------------------------------------------------------------------

    def _gap(self, due: Due) -> int:
        gap: int = FIRST_GAP_MS << min(due.attempts, 16)
        return min(gap, LONGEST_GAP_MS)

    def _put_off(self, due: Due, gap_ms: int, error: str) -> None:
        self._outbox.put_off(due, until=self._outbox.now() + gap_ms, error=error)

    def _pause(self, method: Method, until: int) -> None:
        with self._lock:
            self._paused[method] = max(until, self._paused.get(method, 0))

    def paused_until(self) -> dict[str, int]:
        """What a 429 still holds back, by method, in ms epoch. In memory only: another process
        finds out by itself."""
        now = self._outbox.now() if self._paused else 0
        with self._lock:
            self._paused = {m: until for m, until in self._paused.items() if until > now}
            return {str(m): until for m, until in self._paused.items()}
