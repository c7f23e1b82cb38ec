"""The threads of one part of the bot: how they are started, asked to end, and waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any


class Threads:
    """`stopping` is the word to end: each thread looks at it between two pieces of work.

    All are daemons: a call that hangs must not keep the process from ending. What they leave is
    claimed with a lease, so another copy, or this one after its restart, takes it up.
    """

    def __init__(self) -> None:
        self.stopping = Event()
        self._started: list[Thread] = []

    def __len__(self) -> int:
        return len(self._started)

    def start(self, name: str, run: Callable[..., None], *args: Any) -> None:
        thread = Thread(target=run, args=args, name=name, daemon=True)
        thread.start()
        # Those that have ended are forgotten: each connection to Slack has one, month after month.
        self._started = [*(one for one in self._started if one.is_alive()), thread]

    def stop(self, seconds: float) -> bool:
        """Say the word, and wait so long for all together; whether all have ended. May be called
        again, with more time, and where none was started."""
        self.stopping.set()
        until = time.monotonic() + seconds
        for thread in self._started:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._started)


class Later:
    """What is looked at after a while, in one thread: all waits are equally long, so what came
    first is due first. Ends with the process: nothing that matters is done by it."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[tuple[float, Callable[[], None]]] = SimpleQueue()
        Threads().start("later", self._run)

    def __call__(self, seconds: float, then: Callable[[], None]) -> None:
        """`then` must not raise."""
        self._waiting.put((time.monotonic() + seconds, then))

    def _run(self) -> None:
        while True:
            due, then = self._waiting.get()
            time.sleep(max(0.0, due - time.monotonic()))
            then()
