"""Sends ephemeral sentences that answer a click, in the background and without guarantee.

The acknowledgement of a click cannot carry words, and a listener must not wait for Slack. What is
said here is about nothing stored ("that button carries nonsense", "click again"), so it may be lost
when the process ends. Whatever matters goes through the outbox.
"""

from __future__ import annotations

import contextlib
import queue
import threading

import structlog

from bot.request.messages import Drawn
from bot.slack.send.pauses import RESPONSE_URL, left_ms
from bot.slack.send.response_url import say
from bot.slack.send.trouble import Kind
from bot.store.shared import Pauses

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
            return left_ms(self._pauses, RESPONSE_URL)
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
            trouble = say(url, said, api_url=self._api_url, timeout_s=TIMEOUT_S)
            if trouble is None:
                return
            log.warning("whisper_failed", error=trouble.word)
            if trouble.kind is not Kind.LIMITED:
                return
            self._pauses.hold(RESPONSE_URL, trouble.retry_after_s)
