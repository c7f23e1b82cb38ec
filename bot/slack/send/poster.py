"""The poster: sends to Slack what is due in the outbox, drawn from the row at that moment."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.request.messages import (
    ANSWER_LOST,
    NO_LONGER_WANTED,
    PRIVATE,
    Answer,
    Drawn,
    Due,
    Message,
    messages,
)
from bot.request.model import Request
from bot.slack.send.one_message import ELSEWHERE, Failed, goes_elsewhere, send, tell
from bot.slack.send.slack_problem import BROKEN, UNEDITABLE_WORDS, Kind, problem_of
from bot.slack.send.web_api import POST_TIMEOUT_S, longest_s
from bot.store.outbox import Outbox, method_of
from bot.store.slack_pauses import Pauses
from bot.threads import Threads

log = structlog.get_logger(__name__)

FIRST_GAP_MS = 1_000
LONGEST_GAP_MS = 60_000
"""Between two tries of one message. The gap doubles, but stays short enough that everything is said
soon after an outage."""

LOST_GAPS_MS = (5_000, 30_000, 2 * 60_000, 10 * 60_000, 60 * 60_000)
"""After a post that Slack may have taken, though its answer did not come or was of no use: each try
may put one more copy into the channel, so there are six in all. An edit may be repeated."""

ASK_SLACK_EVERY_MS = 10_000
"""While Slack gives no answer. So late may a waiting message go out when it is back."""

ACCOUNT_GAP_MS = 60_000
"""When only an operator can help: seldom enough not to flood the log, often enough to notice when
they have."""

FIRST_EDIT_GAP_MS = 60_000
LONGEST_EDIT_GAP_MS = 60 * 60_000
EDIT_TRIES = 30
"""An edit that Slack refuses is tried for about a day: a closed channel may be opened again, and
then the card must not go on asking what is decided already."""

AFTER_FAULT_S = 1.0
"""After an error of the database: it may be away, and the loop must not keep a core busy."""

BEGIN_WITHIN_S = 2.0
"""Between the claim of a message and its call to Slack. If the process froze in between, it does
not send: its lease may be over, and another copy may have posted the message."""

SENDING_MS = int((BEGIN_WITHIN_S + longest_s(POST_TIMEOUT_S) + 1) * 1000)
"""How long a message is held while it is sent: longer than the one call of a try may last. The
timeouts are those of each read, so an answer that trickles in can outlast it; then the message may
stand twice, as after any answer that was lost."""

STORE_AGAIN_S, STORE_FOR_S = 0.2, 60.0
"""How often, and for how long, storing is tried after Slack has taken a message: one whose `ts` is
not stored is posted a second time when its lease is over. Often enough that after an outage of the
database this comes before new messages."""


class Poster:
    """`start` once. There is one thread for each of `nets`, which say how many seconds it sleeps
    when nobody wakes it. At most half of them call the same method: while one of Slack's methods
    hangs, what needs another goes out.

    A message that the row does not want any more is given up without a call. To settle it with
    `sent` would make it due again at once, since it does not look as it was wanted.
    """

    def __init__(
        self,
        outbox: Outbox,
        client: WebClient,
        draw: Callable[[Request, str], Drawn],
        draw_answer: Callable[[Answer, Request | None], Drawn],
        *,
        nets: Sequence[float],
        pauses: Pauses,
        on_given_up: Callable[[str, str], None] = lambda _slot, _error: None,
        pause: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outbox = outbox
        self._client = client
        self._draw = draw
        self._draw_answer = draw_answer
        self._on_given_up = on_given_up
        self._pause, self._monotonic = pause, monotonic
        self._threads = Threads()
        self._nets = nets
        self._pauses = pauses
        self._claiming, self._calls = threading.Lock(), Counter[str]()
        self._asking, self._away = threading.Lock(), False
        self.ask_slack_at: int | None = None
        """When Slack is asked whether it is back (ms epoch), while it gives no answer."""

    def start(self) -> None:
        for number, net_s in enumerate(self._nets):
            self._threads.start(f"poster-{number}", self._run, net_s)

    def stop(self, seconds: float) -> bool:
        """Begin nothing new, and give calls that have begun so long to end; returns whether they
        did. A message whose call did not end keeps its lease, and is tried again when that is over.
        May be called again, with more time."""
        self._threads.stopping.set()
        self._outbox.end_waiting()
        return self._threads.stop(seconds)

    def once(self, wait_s: float = 0.0) -> bool:
        """Deliver one message. False when none is due, Slack is away, or a stop has begun, which
        may happen while we ask whether Slack is back; after a wait of at most `wait_s` then."""
        if self._slack_is_away() or self._threads.stopping.is_set():
            self._outbox.wait(wait_s)
            return False
        most = max(1, len(self._nets) // 2)
        begun = self._monotonic()
        with self._claiming:
            due = self._outbox.claim([name for name, calls in self._calls.items() if calls >= most])
            if due is not None:
                self._calls[method_of(due)] += 1
        if due is None:
            self._outbox.wait_for_next(wait_s)
            return False
        try:
            self._deliver(due, begun)
        finally:
            with self._claiming:
                self._calls[method_of(due)] -= 1
        return True

    def _run(self, net_s: float) -> None:
        while not self._threads.stopping.is_set():
            try:
                self.once(net_s)
            except Exception as error:
                # The claimed message comes back by itself when its lease is over. Of a fault of the
                # database the log has the sentence, and every thread meets it every second.
                say = log.debug if self._outbox.fault_of(error) else log.error
                say("poster_failed", exc_info=error)
                self._threads.stopping.wait(AFTER_FAULT_S)

    # ---- one message --------------------------------------------------------------------------

    def _deliver(self, due: Due, begun: float) -> None:
        gone = UNEDITABLE_WORDS if due.ts is not None else {ANSWER_LOST}
        if due.last_error and due.last_error in gone:
            # It cannot be edited any more, or was sent for the last time: no call, and no log line.
            self._outbox.given_up(due, error=due.last_error)
            return
        try:
            drawn = self._drawn(due)
        except Exception:
            # An error of ours in one message must not stop the others. It is tried again later,
            # perhaps by a version that can draw it.
            log.exception("not_drawn", request=due.request_id, slot=due.slot)
            self._put_off(due, doubled(FIRST_GAP_MS, due, LONGEST_GAP_MS), "not_drawn")
            return
        if drawn is None:
            self._outbox.given_up(due, error=NO_LONGER_WANTED)
            return
        digest = drawn.digest
        if digest == due.shown:
            self._outbox.sent(due, ts=due.ts, digest=digest)
            return
        if not self._in_time(due, begun):
            return
        if due.answer is None:
            ts: str | Failed | None = send(self._client, due, drawn)
        else:
            ts = tell(self._client, due, drawn, self._pauses)
        if isinstance(ts, Failed):
            self._settle_failed(due, ts)
            return
        self._keep(due, ts, digest)
        where = {"channel": due.channel, "ts": ts, "edit": due.ts is not None}
        log.info("sent", request=due.request_id, slot=due.slot, **where)

    def _in_time(self, due: Due, begun: float) -> bool:
        """The last look at the clock before the call."""
        in_time = self._monotonic() - begun <= BEGIN_WITHIN_S
        if not in_time:
            log.warning("held_up_before_sending", request=due.request_id, slot=due.slot)
        return in_time

    def _drawn(self, due: Due) -> Drawn | None:
        request = due.request
        if due.answer is not None:
            return self._draw_answer(due.answer, request)
        if request is None:
            return None
        slots = {m.slot for m in messages(request, due.at)}
        kind = Message(slot=due.slot).kind
        # A copy of final words is wanted for as long as those are.
        wanted = due.slot in slots or (kind in PRIVATE and kind.value in slots)
        return self._draw(request, due.slot) if wanted else None

    def _keep(self, due: Due, ts: str | None, digest: str) -> None:
        until, told = self._monotonic() + STORE_FOR_S, False
        while True:
            try:
                return self._outbox.sent(due, ts=ts, digest=digest)
            except Exception as error:
                if not told:
                    why = type(error).__name__
                    log.warning("sent_not_stored", request=due.request_id, slot=due.slot, error=why)
                told = True
                if self._monotonic() > until:
                    raise
                # Even during a stop, as long as that waits: otherwise it would be posted again.
                self._pause(STORE_AGAIN_S)

    def _settle_failed(self, due: Due, failed: Failed) -> None:
        """The one place that decides whether to try again soon, later, or never."""
        problem, word = failed.problem, failed.problem.word
        if problem.away and self.ask_slack_at is None:
            self.ask_slack_at = self._outbox.now()
        where = {"request": due.request_id, "slot": due.slot}
        match problem.kind:
            case Kind.LIMITED:
                until = self._pauses.hold(failed.method, problem.retry_after_s)
                log.warning("rate_limited", method=failed.method, until=until, error=word, **where)
                self._outbox.put_off(due, until=until, error=word)
            case Kind.PASSING if problem.maybe_taken and due.ts is None:
                if due.lost >= len(LOST_GAPS_MS):
                    return self._give_up(due, ANSWER_LOST)
                log.warning("answer_lost", lost=due.lost + 1, error=word, **where)
                until = self._outbox.now() + LOST_GAPS_MS[due.lost]
                self._outbox.put_off(due, until=until, error=word, lost=True)
            case Kind.PASSING:
                log.warning("not_sent", attempts=due.attempts + 1, error=word, **where)
                self._put_off(due, doubled(FIRST_GAP_MS, due, LONGEST_GAP_MS), word)
            case Kind.ACCOUNT:
                until = self._outbox.now() + ACCOUNT_GAP_MS
                # For whoever watches the log: Slack shows nothing until somebody has acted.
                step = "check the token and its scopes (vr-unpair check)"
                log.critical("slack_refuses_the_token", error=word, help=step, **where)
                self._outbox.put_off(due, until=until, error=word, refused=True)
            case Kind.FINAL if goes_elsewhere(due):
                log.warning("not_sent", attempts=due.attempts + 1, error=word, **where)
                self._outbox.put_off(due, until=self._outbox.now(), error=ELSEWHERE)
            case Kind.FINAL if due.ts is None or word in UNEDITABLE_WORDS:
                self._give_up(due, word)
            case Kind.FINAL if due.attempts >= EDIT_TRIES:
                self._give_up(due, word)
            case Kind.FINAL:
                log.info("edit_refused", attempts=due.attempts + 1, error=word, **where)
                self._put_off(due, doubled(FIRST_EDIT_GAP_MS, due, LONGEST_EDIT_GAP_MS), word)
        return None

    def _give_up(self, due: Due, error: str) -> None:
        log.warning("given_up", error=error, request=due.request_id, slot=due.slot)
        self._outbox.given_up(due, error=error)
        self._on_given_up(due.slot, error)

    # ---- waiting ------------------------------------------------------------------------------

    def _put_off(self, due: Due, gap_ms: int, error: str) -> None:
        self._outbox.put_off(due, until=self._outbox.now() + gap_ms, error=error)

    def _slack_is_away(self) -> bool:
        """After a call without an answer, Slack is asked whether it is there before the next
        message is tried: each of them would else wait for its timeout, and use up its tries."""
        with self._asking:  # the others wait for what is found
            at = self.ask_slack_at
            if at is None:
                return False
            now = self._outbox.now()
            if now < at <= now + ASK_SLACK_EVERY_MS:
                return True
            try:
                self._client.auth_test()
            except (SlackApiError, *BROKEN) as error:
                problem = problem_of(error)
                if problem.away:
                    if not self._away:
                        log.warning("slack_away", error=problem.word)
                    self.ask_slack_at, self._away = now + ASK_SLACK_EVERY_MS, True
                    return True
            if self._away:
                log.info("slack_back")
            self.ask_slack_at, self._away = None, False
            return False


def doubled(first_ms: int, due: Due, longest_ms: int) -> int:
    """The gap after this try of the message."""
    gap: int = first_ms << min(due.attempts, 16)
    return min(gap, longest_ms)
