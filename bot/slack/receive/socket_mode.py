"""Socket Mode: keeps one live WebSocket to Slack, and replaces it when it is not live any more.

A connection is live only if something was heard on it lately. Slack answers pings, so if several
get no answer, clicks do not come through either, whatever TCP says. An envelope is acknowledged
when its event is stored, and otherwise Slack sends it again (Slack docs, Socket Mode).
"""

from __future__ import annotations

import json
import logging
import math
import queue
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import Any, cast

import structlog
from slack_bolt import BoltResponse
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from websockets.exceptions import ConnectionClosed
from websockets.protocol import Event
from websockets.sync.client import ClientConnection, connect

from bot.slack.receive.http_server import LARGEST_BODY, THREADS, Answering
from bot.slack.receive.payload import Json, Malformed, Rejected, checked
from bot.slack.send.slack_problem import BROKEN, Kind, problem_of
from bot.slack.send.web_api import USER_AGENT, proxy_for, tls
from bot.threads import Threads

log = structlog.get_logger(__name__)

OPEN_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 0.5
"""For TCP, TLS and the first answer; and for a farewell, of which nothing depends on an answer."""

PING_S = 5.0
DEAF_AFTER = 2.5
"""After the silence of so many pings a connection is given up: two had no answer. Also the time
that Slack has to say hello."""

LEAVING_S = 15.0
"""How long an old connection is kept once the new one works, for acknowledgements. Slack ends it
about ten seconds after announcing it (Slack docs, Socket Mode, refreshing)."""

FIRST_GAP_S, LONGEST_GAP_S = 1.0, 60.0
"""Between two tries to connect."""

GENTLE = ("warning", "refresh_requested")
"""With these reasons of a `disconnect` the connection still works for some seconds. Any other, such
as `link_disabled` or `too_many_websockets`, ends it (Slack docs, Socket Mode)."""

NOT_ALONE = (
    "Other processes use this SLACK_APP_TOKEN and take some of the clicks, or Slack still counts a "
    "connection that is gone. Right only for copies of the bot with the same DATABASE_URL."
)

_websockets = logging.getLogger("bot.slack.websockets")
_websockets.setLevel(logging.CRITICAL)
# It would tell of what is told here once, and at DEBUG of every frame.


class NotOpened(Exception):
    """Its text may be shown. `wait_s` is how long Slack asked to wait, 0 if it did not."""

    def __init__(self, words: str, wait_s: int = 0) -> None:
        super().__init__(words)
        self.wait_s = wait_s


class Line(ClientConnection):
    """One WebSocket, and what is known of it. Its reading thread alone writes that, `leave_at`
    aside. Times are those of `time.monotonic`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.opened_at = self.heard_at = time.monotonic()
        self.greeted = self.ended = False
        self.leaving = ""
        """Why Slack wants it to go."""
        self.leave_at = math.inf
        """Another one has replaced it; until then it is kept."""
        self.over = threading.Event()
        """Another one is wanted."""
        super().__init__(*args, **options)

    def process_event(self, event: Event) -> None:
        """For each whole frame, pings and pongs included."""
        self.heard_at = time.monotonic()
        super().process_event(event)


class SocketMode:
    """`client` has the app-level token (see `web_api.api_client`). `listen` may raise Malformed.
    `on_rejected` counts. Only tests change the seconds."""

    def __init__(
        self,
        client: WebClient,
        listen: Callable[[Json], BoltResponse],
        on_rejected: Callable[[Rejected], None],
        *,
        answering: Answering = nullcontext,
        ping_s: float = PING_S,
        leaving_s: float = LEAVING_S,
        first_gap_s: float = FIRST_GAP_S,
    ) -> None:
        self._client = client
        self._listen = listen
        self._on_rejected = on_rejected
        self._answering = answering
        self._ping_s, self._leaving_s, self._first_gap_s = ping_s, leaving_s, first_gap_s
        self.deaf_s = DEAF_AFTER * ping_s
        self._lines: list[Line] = []
        self._heard_at = time.monotonic()
        self._why = "one is being opened"
        self._envelopes: queue.Queue[tuple[Line, Json]] = queue.Queue()
        self._draining = threading.Event()
        self._threads, self._listeners = Threads(), Threads()

    def start(self) -> None:
        """Returns at once, since Slack may be out of reach for now. All threads are daemons: a
        listener that hangs cannot keep the process from ending."""
        for number in range(THREADS):
            self._listeners.start(f"envelopes-{number}", self._handle)
        self._threads.start("slack-socket-mode", self._stay_connected)

    def stop(self, drain_s: float) -> bool:
        """Take no more envelopes, and finish those in hand within `drain_s`. The rest are not
        acknowledged, so that Slack gives them to another copy. Returns whether all were."""
        self._draining.set()
        waiting = self._envelopes
        with waiting.all_tasks_done:
            waiting.all_tasks_done.wait_for(lambda: not waiting.unfinished_tasks, drain_s)
            left = waiting.unfinished_tasks
        if left:
            log.warning("slack_socket_cut_off", envelopes=left)
        self._threads.stopping.set()
        for line in self._open():
            line.close()
            line.over.set()
        # It may be waiting for a new connection, which is then ended at once.
        self._threads.stop(1.0)
        return not left

    def problem(self) -> str | None:
        """None if Slack is heard, otherwise the reason in words, for `/readyz`."""
        if not any(line.greeted for line in self._open()):
            return f"no connection to Slack: {self._why}"
        silent = self.silent_s()
        return None if silent <= self.deaf_s else f"nothing heard from Slack for {silent:.1f} s"

    def silent_s(self) -> float:
        """Seconds since the last frame or ping on any connection, or since the start."""
        heard = [line.heard_at for line in self._open() if line.greeted]
        return max(0.0, time.monotonic() - max([self._heard_at, *heard]))

    def _open(self) -> list[Line]:
        return [line for line in self._lines if not line.ended]

    # ---- one connection after the other --------------------------------------------------------

    def _stay_connected(self) -> None:
        failures = 0
        while not self._threads.stopping.is_set():
            wait_s = 0
            try:
                line = open_line(self._client)
            except NotOpened as error:
                self._why, wait_s = str(error), error.wait_s
                log.warning("slack_socket_not_opened", why=self._why)
                failures += 1
            else:
                self._lines = [*self._open(), line]
                self._listeners.start("slack-socket", self._read, line)
                line.over.wait()
                lived_s = time.monotonic() - line.opened_at
                good = line.greeted and lived_s >= self.deaf_s
                # If Slack greets and then hangs up, or sends it away, the next one has to wait.
                failures = 0 if good and line.leaving in ("", *GENTLE) else failures + 1
            if failures:
                gap_s = min(LONGEST_GAP_S, self._first_gap_s * 2.0 ** min(failures - 1, 16))
                self._threads.stopping.wait(max(wait_s, gap_s))

    def _read(self, line: Line) -> None:
        """From the hello to the end, in a thread of the connection's own."""
        try:
            why = self._talk(line)
        except Exception as error:
            # This should never happen. But the bot must not stay without a connection.
            log.exception("slack_socket_failed")
            why = f"{type(error).__name__} in the bot"
        if line.greeted:
            self._heard_at = max(self._heard_at, line.heard_at)
        if line.leave_at == math.inf and not self._threads.stopping.is_set():
            # The reason first, since `/readyz` may ask between these two lines.
            self._why = why
            log.warning("slack_socket_lost", why=why)
        line.ended = True
        line.over.set()
        line.close()

    def _talk(self, line: Line) -> str:
        """Returns why it ended, or has to."""
        ping_at = line.opened_at + self._ping_s
        while True:
            try:
                if time.monotonic() >= ping_at:
                    line.ping()
                    ping_at = time.monotonic() + self._ping_s
                with suppress(TimeoutError):
                    self._frame(line, line.recv(timeout=self._ping_s / 5))
            except ConnectionClosed as closed:
                return f"{type(closed.__cause__ or closed).__name__}: {closed}"[:200]
            now = time.monotonic()
            if self._threads.stopping.is_set() or now >= line.leave_at:
                return "another one has replaced it, or the bot stops"
            if line.leaving and line.leaving not in GENTLE:
                return f"Slack ended it: {line.leaving}"
            if now - line.heard_at >= self.deaf_s:
                return f"deaf: nothing heard for {now - line.heard_at:.1f} s"
            if not line.greeted and now - line.opened_at >= self.deaf_s:
                return "Slack did not say hello"

    # ---- what comes in -------------------------------------------------------------------------

    def _frame(self, line: Line, text: str | bytes) -> None:
        try:
            frame = json.loads(text)
        except (ValueError, RecursionError):
            frame = None
        kind = frame.get("type") if isinstance(frame, dict) else None
        if kind == "hello":
            self._hello(line, frame)
        elif kind == "disconnect":
            line.leaving = str(frame.get("reason"))[:40]
            log.info("slack_asks_to_reconnect", reason=line.leaving)
            if line.leaving in GENTLE:
                line.over.set()
        elif not isinstance(frame, dict) or not isinstance(frame.get("envelope_id"), str):
            self._reject("a frame of the socket is no envelope")
        elif not self._draining.is_set():
            self._envelopes.put((line, frame))

    def _hello(self, line: Line, frame: Json) -> None:
        line.greeted = True
        ours, count = self._open(), frame.get("num_connections")
        for other in ours:
            if other is not line:
                other.leave_at = time.monotonic() + self._leaving_s
        log.info("slack_connected", connections=count)
        if isinstance(count, int) and count > len(ours):
            # Each click goes to only one of them. That is fine if they share a database, but clicks
            # that go to some forgotten process are lost.
            log.warning("slack_socket_not_alone", connections=count, hint=NOT_ALONE)

    def _handle(self) -> None:
        while True:
            line, envelope = self._envelopes.get()
            try:
                with self._answering():
                    self._answer(line, envelope)
            except Exception:
                # It must not end the thread: the clicks that wait for it would get no answer.
                log.exception("envelope_failed")
            self._envelopes.task_done()

    def _answer(self, line: Line, envelope: Json) -> None:
        """Acknowledge, unless it is what gets an error over HTTP: without an acknowledgement Slack
        tells the person that it failed, which is true."""
        try:
            response = self._listen(checked(envelope.get("payload")))
        except Malformed as error:
            self._reject(str(error))
            return
        acknowledgement: Json = {"envelope_id": envelope["envelope_id"]}
        if response.body and envelope.get("accepts_response_payload"):
            acknowledgement["payload"] = json.loads(response.body)
        try:
            # Through the connection that the envelope came from, or not at all. Then the envelope
            # is sent again, and the listeners recognise the event.
            line.send(json.dumps(acknowledgement))
        except ConnectionClosed:
            log.info("envelope_answered_too_late")

    def _reject(self, why: str) -> None:
        log.warning("slack_request_malformed", why=why)
        self._on_rejected("malformed")


def open_line(client: WebClient) -> Line:
    """Connected, but not greeted yet. Raises NotOpened."""
    url = address(client)
    proxy = proxy_for(url)
    try:
        line = connect(
            url,
            ssl=tls() if url.startswith("wss:") else None,
            proxy=proxy,
            user_agent_header=USER_AGENT,
            compression=None,
            open_timeout=OPEN_TIMEOUT_S,
            close_timeout=CLOSE_TIMEOUT_S,
            ping_interval=None,  # its own come without a pause after a slow answer
            max_size=16 * LARGEST_BODY,
            logger=_websockets,
            create_connection=Line,
            legacy=True,
        )
    except Exception as error:
        # Whatever it is: without another try the bot would stay deaf.
        words = f"{type(error).__name__}: {error}".replace(url, "its address")
        # websockets quotes the proxy's address, which may hold a password.
        raise NotOpened(words.replace(proxy or url, "HTTPS_PROXY")[:200]) from error
    return cast(Line, line)


def address(client: WebClient) -> str:
    """Where to connect. It is secret, since it holds a ticket. Raises NotOpened."""
    try:
        url = client.api_call("apps.connections.open").get("url")
    except (SlackApiError, *BROKEN) as error:
        problem = problem_of(error)
        words = f"apps.connections.open: {problem.word}"
        if problem.kind is Kind.ACCOUNT:
            words += " (is SLACK_APP_TOKEN right, with the scope connections:write?)"
        raise NotOpened(words, problem.retry_after_s) from error
    # Without TLS only where Slack's API itself is without, a test double on this machine: the
    # ticket and every click would be readable on the way.
    secure = ("wss://", "ws://") if client.base_url.startswith("http://") else "wss://"
    if not isinstance(url, str) or not url.startswith(secure):
        raise NotOpened("apps.connections.open gave no address that is secure")
    return url
