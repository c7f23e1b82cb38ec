"""The threads in which envelopes are handled: the event is stored, then acknowledged."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable

import structlog

from bot.slack.receive.payload import Json
from bot.slack.socket_connection import SocketConnection

log = structlog.get_logger(__name__)

THREADS = 8
"""The same number as in HTTP mode."""

WAITING_MOST = 1000
"""Far more than people can click. An envelope that is dropped is never acknowledged."""


class EnvelopeThreads:
    """Daemon threads, so that a listener that hangs cannot keep the process from ending."""

    def __init__(self, answer: Callable[[Json], Json | None], threads: int = THREADS) -> None:
        self._answer = answer
        self._queue: queue.Queue[tuple[SocketConnection, Json] | None] = queue.Queue(WAITING_MOST)
        self._threads = [
            threading.Thread(target=self._run, name=f"envelopes-{n}", daemon=True)
            for n in range(threads)
        ]
        self._idle = threading.Condition()
        self._in_hand = 0

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def put(self, connection: SocketConnection, envelope: Json) -> None:
        with self._idle:
            self._in_hand += 1
        try:
            self._queue.put_nowait((connection, envelope))
        except queue.Full:
            log.warning("envelope_dropped", waiting=WAITING_MOST)
            self._done()

    def stop(self, drain_s: float) -> int:
        """To be called after the last `put`. Returns how many were not finished in time."""
        with self._idle:
            self._idle.wait_for(lambda: not self._in_hand, drain_s)
            left = self._in_hand
        if not left:
            for _ in self._threads:
                self._queue.put(None)
            until = time.monotonic() + 1.0
            for thread in self._threads:
                if thread.is_alive():
                    thread.join(max(0.0, until - time.monotonic()))
        return left

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            connection, envelope = item
            try:
                ack = self._answer(envelope)
                # An acknowledgement goes through the connection that the envelope came from, or not
                # at all. Then the envelope is sent again, and the listeners recognise the event.
                if ack is not None and not connection.send(json.dumps(ack)):
                    log.info("envelope_answered_too_late")
            finally:
                self._done()

    def _done(self) -> None:
        with self._idle:
            self._in_hand -= 1
            self._idle.notify_all()
