"""Socket Mode: keeps one live WebSocket to Slack, and replaces it when it is not live any more.

A connection is live only if something was heard on it lately. Slack answers pings, so if several
get no answer, clicks do not come through either, whatever TCP says.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bot.slack.envelope_threads import EnvelopeThreads
from bot.slack.receive.http import LARGEST_BODY, Rejected
from bot.slack.receive.payload import Json
from bot.slack.socket_address import NoAddress
from bot.slack.socket_connection import CannotConnect, SocketConnection
from bot.slack.socket_gaps import Gaps

log = structlog.get_logger(__name__)

PING_S = 5.0
"""Seconds between two of our pings."""

DEAF_PINGS = 2.5
"""After silence for so many ping intervals a connection is deaf. It is noticed within three."""

LEAVING_S = 15.0
"""How long a connection that Slack wants to end is kept: acknowledgements can still be sent on it.
Slack ends it about ten seconds after announcing it (Slack docs, Socket Mode, refreshing)."""

GENTLE = ("warning", "refresh_requested")
"""With these reasons of a `disconnect` the connection still works for some seconds. Any other, such
as `link_disabled` or `too_many_websockets`, ends it (Slack docs, Socket Mode)."""

NOT_ALONE = (
    "Other processes use this SLACK_APP_TOKEN and take some of the clicks, or Slack still counts a "
    "connection that is gone. Right only for copies of the bot with the same DATABASE_URL."
)


@dataclass(frozen=True)
class Times:
    """In seconds. Only tests use other values."""

    ping: float = PING_S
    leaving: float = LEAVING_S
    first_gap: float = 1.0

    @property
    def deaf(self) -> float:
        return self.ping * DEAF_PINGS


class SocketMode:
    """`new_address` may raise NoAddress. `answer` is `Envelopes.answer`. `now` is in monotonic
    seconds."""

    def __init__(
        self,
        new_address: Callable[[], str],
        answer: Callable[[Json], Json | None],
        on_rejected: Callable[[Rejected], None],
        *,
        times: Times | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._new_address = new_address
        self._on_rejected = on_rejected
        self._times = times or Times()
        self._now = now
        self._threads = EnvelopeThreads(answer)
        self._gaps = Gaps(now, self._times.first_gap, settled_s=self._times.deaf)
        self._current: SocketConnection | None = None
        self._leaving: list[tuple[SocketConnection, float]] = []
        self._asked: SocketConnection | None = None
        self._ping_at = 0.0
        self._heard_at = now()
        self._trouble = ""
        self._alone = True
        self._wake = threading.Event()
        self._draining = threading.Event()
        self._stopping = threading.Event()
        self._watch = threading.Thread(target=self._run, name="slack-socket-watch", daemon=True)

    def start(self) -> None:
        """Returns at once, since Slack may be out of reach for now."""
        self._threads.start()
        self._watch.start()

    def stop(self, drain_s: float) -> bool:
        """Take no more envelopes, and finish those in hand within `drain_s`. The rest are not
        acknowledged, so that Slack gives them to another copy. Returns whether all threads have
        ended."""
        self._draining.set()
        left = self._threads.stop(drain_s)
        if left:
            log.warning("slack_socket_cut_off", envelopes=left)
        self._stopping.set()
        self._wake.set()
        # The watch may be waiting for a new connection. It closes that one itself.
        self._watch.join(timeout=1.0)
        return not left and not self._watch.is_alive()

    def problem(self) -> str | None:
        """None if Slack is heard, otherwise the reason in words, for `/readyz`."""
        trouble, greeted = self._trouble, [c for c in self._open() if c.greeted]
        if not greeted:
            return f"no connection to Slack: {trouble or 'one is being opened'}"
        silent = self._now() - max(connection.heard_at for connection in greeted)
        if silent > self._times.deaf:
            return f"nothing heard from Slack for {silent:.1f} s"
        return None

    def silent_s(self) -> float:
        """Seconds since anything was last heard on any connection, or since the start."""
        return max(0.0, self._now() - self._last_heard())

    def _last_heard(self) -> float:
        return max([self._heard_at, *(c.heard_at for c in self._open() if c.greeted)])

    def _open(self) -> list[SocketConnection]:
        """The connections that have not ended, as far as is known. For any thread."""
        connections = (self._current, *(connection for connection, _ in tuple(self._leaving)))
        return [c for c in connections if c is not None and c.ended is None]

    # ---- the watch, in its thread ---------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                self._look()
            except Exception:
                # This should never happen. But if the watch died, the bot would never hear anything
                # again.
                log.exception("slack_socket_watch_failed")
                self._lose("the watch over the connection failed", lived_s=0.0)
            if not self._stopping.is_set():
                self._wake.wait(self._pause_s())
        for connection in self._open():
            connection.close()
        self._current = None

    def _look(self) -> None:
        self._end_leaving()
        self._judge()
        if self._wants_another() and self._gaps.due():
            self._replace()
        current = self._current
        if current is not None and self._now() >= self._ping_at:
            self._ping_at = self._now() + self._times.ping
            current.ping()

    def _wants_another(self) -> bool:
        return self._current is None or self._asked is self._current

    def _judge(self) -> None:
        """Give up a connection through which nothing can come any more."""
        current = self._current
        if current is None:
            return
        now = self._now()
        lived, silent = now - current.opened_at, now - current.heard_at
        reason = current.told_to_leave
        if current.ended is not None:
            self._lose(current.ended, lived if current.greeted else 0.0)
        elif silent >= self._times.deaf:
            self._lose(f"deaf: nothing heard for {silent:.1f} s", lived)
        elif reason is not None and reason not in GENTLE:
            self._lose(f"Slack ended it: {reason}", lived_s=0.0)
        elif not current.greeted and lived >= self._times.deaf:
            self._lose("Slack did not say hello", lived_s=0.0)
        elif reason is not None and self._asked is not current:
            self._asked = current
            self._gaps.lost(lived)

    def _lose(self, why: str, lived_s: float) -> None:
        # The reason first, since `/readyz` may ask between these two lines.
        self._trouble = why
        lost, self._current = self._current, None
        if lost is not None and lost.greeted:
            self._heard_at = max(self._heard_at, lost.heard_at)
        log.warning("slack_socket_lost", why=why)
        self._gaps.lost(lived_s)
        if lost is not None:
            lost.close()

    def _replace(self) -> None:
        try:
            connection = SocketConnection(
                self._new_address(), on_text=self._text, on_end=self._wake.set, now=self._now
            )
            connection.open()
        except (NoAddress, CannotConnect) as error:
            self._trouble = str(error)
            wait_s = error.wait_s if isinstance(error, NoAddress) else 0
            gap = self._gaps.failed(wait_s)
            log.warning("slack_socket_not_opened", why=self._trouble, next_in_s=round(gap, 1))
            return
        if self._current is not None:
            self._leaving.append((self._current, self._now() + self._times.leaving))
        self._current, self._ping_at = connection, self._now() + self._times.ping

    def _end_leaving(self) -> None:
        for connection, until in list(self._leaving):
            if connection.ended is not None or self._now() >= until:
                connection.close()
                self._leaving.remove((connection, until))

    def _pause_s(self) -> float:
        moments = [until for _, until in self._leaving]
        if self._wants_another():
            moments.append(self._gaps.next_at)
        current = self._current
        if current is not None:
            moments += [self._ping_at, current.heard_at + self._times.deaf]
            if not current.greeted:
                moments.append(current.opened_at + self._times.deaf)
        return max(0.0, min(moments) - self._now())

    # ---- what comes in, in the thread of its connection -----------------------------------------

    def _text(self, connection: SocketConnection, text: str) -> None:
        if len(text) > LARGEST_BODY:
            self._reject("too_large")
            return
        try:
            frame = json.loads(text)
        except (ValueError, RecursionError):
            self._reject("malformed")
            return
        kind = frame.get("type") if isinstance(frame, dict) else None
        if kind == "hello":
            self._hello(connection, frame)
        elif kind == "disconnect":
            reason = str(frame.get("reason"))[:40]
            log.info("slack_asks_to_reconnect", reason=reason)
            connection.told_to_leave = reason
            self._wake.set()
        elif isinstance(frame, dict) and isinstance(frame.get("envelope_id"), str):
            if not self._draining.is_set():
                self._threads.put(connection, frame)
        else:
            self._reject("malformed")

    def _hello(self, connection: SocketConnection, frame: Json) -> None:
        connection.greeted = True
        count = frame.get("num_connections")
        log.info("slack_connected", connections=count)
        others = isinstance(count, int) and count > len({connection, *self._open()})
        if others and self._alone:
            # Each click goes to only one of them. That is fine if they share a database, but clicks
            # that go to some forgotten process are lost.
            log.warning("slack_socket_not_alone", connections=count, hint=NOT_ALONE)
        self._alone = not others
        self._wake.set()

    def _reject(self, kind: Rejected) -> None:
        log.warning("slack_request_malformed", why=f"a frame of the socket: {kind}")
        self._on_rejected(kind)
