"""Words to one person through the `response_url` of their command or click.

It works five times within 30 minutes (Slack docs, handling interactive payloads). With the address
anybody could post in the channel, so it is never logged; of an error only the kind is. It comes in
a request, so it is used on Slack's own host alone, and no redirect is followed.

`Whisper` sends in the background and without guarantee: the acknowledgement of a click cannot carry
words, and a listener must not wait for Slack. What is said so is about nothing stored ("that button
carries nonsense", "click again"), so it may be lost when the process ends. Whatever matters goes
through the outbox.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import queue
import threading
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

import structlog

from bot.request.messages import Drawn
from bot.slack.send.client import USER_AGENT, tls
from bot.slack.send.problems import Kind, SlackProblem, answered, unanswered
from bot.store.shared import RESPONSE_URL, Pauses

log = structlog.get_logger(__name__)

_LAPSED = "response_url_lapsed"
_NOT_SLACK = SlackProblem(Kind.FINAL, "response_url_not_slack")


def say(url: str, drawn: Drawn, *, api_url: str, timeout_s: int) -> SlackProblem | None:
    """Send an ephemeral message, which never replaces another. None if Slack accepted it.
    `api_url` (SLACK_API_URL) tells which host is Slack's."""
    if not is_of_slack(url, api_url):
        return _NOT_SLACK
    body: dict[str, Any] = {
        "response_type": "ephemeral",
        "replace_original": False,
        "text": drawn.text,
    }
    if drawn.blocks:
        body["blocks"] = drawn.blocks
    headers = {"Content-Type": "application/json;charset=utf-8", "User-Agent": USER_AGENT}
    data = json.dumps(body).encode()
    request = Request(url, data, headers, method="POST")  # noqa: S310 (http and https alone)
    # With the proxies that urllib knows from the environment, NO_PROXY among them.
    opener = build_opener(HTTPSHandler(context=tls()), _NoRedirect)
    try:
        with opener.open(request, timeout=timeout_s):
            return None
    except HTTPError as error:
        with error:
            return _refused(error)
    except (OSError, HTTPException, ValueError, LookupError) as error:
        return unanswered(error)


def is_of_slack(url: str, api_url: str) -> bool:
    """Whether the address is on the host that answers commands for this Web API: for slack.com that
    is hooks.slack.com, for slack-gov.com hooks.slack-gov.com, and for a test double on this machine
    any other on this machine."""
    try:
        address, api = urlsplit(url), urlsplit(api_url)
        host, api_host, port = address.hostname or "", api.hostname or "", address.port
    except ValueError:  # no number as a port, a bracket that is not closed
        return False
    if _on_this_machine(api_host):
        return address.scheme in ("http", "https") and _on_this_machine(host)
    return address.scheme == "https" and port is None and host in (api_host, f"hooks.{api_host}")


def _on_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """None: the answer is an error with its own status."""


def _refused(error: HTTPError) -> SlackProblem:
    problem = answered(error.code, f"{_LAPSED}_{error.code}", error.headers.get("Retry-After"))
    # Slack answers 404 if the address is used up or has expired, and 400 to a body that it will not
    # show. Neither changes with time. Its words are dropped, since they could quote the address.
    final = error.code < 500 and problem.kind is Kind.PASSING
    return SlackProblem(Kind.FINAL, problem.word) if final else problem


# ---- in the background --------------------------------------------------------------------------

WAITING_MOST = 100
"""Sentences that are not sent yet. More means that somebody keeps pressing a dead button."""

TIMEOUT_S = 3

TRIES = 2
"""A sentence that was answered with 429 is sent once more after the pause."""


class Whisper:
    """Has its own thread, which starts with the first sentence. `api_url`: SLACK_API_URL."""

    def __init__(self, pauses: Pauses, api_url: str) -> None:
        self._pauses = pauses
        self._api_url = api_url
        self._stopping = threading.Event()
        self._queue: queue.Queue[tuple[str, Drawn] | None] = queue.Queue(WAITING_MOST)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def tell(self, response_url: str | None, words: str | Drawn) -> None:
        """Send a sentence, or what was drawn. Never blocks and never raises."""
        if not response_url:
            log.info("whisper_without_address")
            return
        with self._lock:
            if self._stopped:
                log.info("whisper_after_stop")
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="whisper", daemon=True)
                self._thread.start()
            try:
                said = words if isinstance(words, Drawn) else Drawn(text=words)
                self._queue.put_nowait((response_url, said))
            except queue.Full:
                log.warning("whisper_dropped", waiting=WAITING_MOST)

    def stop(self, seconds: float) -> bool:
        """Drop what still waits, and give the current call so many seconds to end. Returns whether
        the thread has ended. May be called again to give it more time."""
        with self._lock:
            asked, self._stopped = self._stopped, True
            self._stopping.set()
            thread = self._thread
        if thread is None:
            return True
        if not asked:
            self._drop()
            self._queue.put(None)
        thread.join(seconds)
        return not thread.is_alive()

    def _drop(self) -> None:
        dropped = 0
        while not self._queue.empty():
            with contextlib.suppress(queue.Empty):  # the thread took it first
                self._queue.get_nowait()
                dropped += 1
        if dropped:
            log.info("whisper_dropped_at_stop", count=dropped)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                self._say(*item)
            except Exception:
                # For example the database, which holds the pauses. The next sentence may work.
                log.exception("whisper_failed")

    def _held_back_ms(self) -> int:
        try:
            return self._pauses.left_ms(RESPONSE_URL)
        except Exception as error:
            # The database, which holds the pauses, is away, and the sentence says just that:
            # nothing was stored. A call that is too early is better than a click without an answer.
            log.warning("whisper_pause_unread", error=type(error).__name__)
            return 0

    def _say(self, url: str, said: Drawn) -> None:
        for _ in range(TRIES):
            if self._stopping.wait(self._held_back_ms() / 1000):
                log.info("whisper_dropped_at_stop", count=1)
                return
            problem = say(url, said, api_url=self._api_url, timeout_s=TIMEOUT_S)
            if problem is None:
                return
            log.warning("whisper_failed", error=problem.word)
            if problem.kind is not Kind.LIMITED:
                return
            self._pauses.hold(RESPONSE_URL, problem.retry_after_s)
