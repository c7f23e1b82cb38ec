"""A sentence to one person in the background and without guarantee, through the `response_url` of
their command or click.

The acknowledgement of a click cannot carry words, and a listener must not wait for Slack. What is
said so is about nothing stored ("that button carries nonsense", "click again"), so it may be lost
when the process ends. Whatever matters goes through the outbox.
"""

from __future__ import annotations

import queue
import threading
from contextlib import suppress

import structlog

from bot.request.messages import Drawn
from bot.slack.send.one_message import say
from bot.slack.send.slack_problem import Kind
from bot.store.shared import RESPONSE_URL, Pauses

log = structlog.get_logger(__name__)

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

    def tell(self, response_url: str | None, words: str | Drawn) -> None:
        """Send a sentence, or what was drawn. Never blocks and never raises."""
        if not response_url:
            log.info("whisper_without_address")
            return
        with self._lock:
            if self._stopping.is_set():
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
            self._stopping.set()
            thread = self._thread
        if thread is None:
            return True
        with suppress(queue.Full):  # then there is something for it to wake up for
            self._queue.put_nowait(None)
        thread.join(seconds)
        return not thread.is_alive()

    def _run(self) -> None:
        while (item := self._queue.get()) is not None and not self._stopping.is_set():
            try:
                self._say(*item)
            except Exception:
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
                return
            problem = say(url, said, api_url=self._api_url, timeout_s=TIMEOUT_S)
            if problem is None:
                return
            log.warning("whisper_failed", error=problem.word)
            if problem.kind is not Kind.LIMITED:
                return
            self._pauses.hold(RESPONSE_URL, problem.retry_after_s)
