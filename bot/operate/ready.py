"""What `/readyz` says, and what makes it 503; with `/healthz` and `/metrics` beside it.

It says whether this copy can do its work. Its hints are about faults elsewhere, which taking this
copy out of service would not help against: the lines that the check in the background has found
wrong (`check`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Any, Generic, TypeVar

READ_SECONDS = 3.0
"""For a read that may hang. A scrape makes two, and Prometheus gives up after 10 s by default."""

Read = TypeVar("Read")

Check = Callable[[], str | None]
"""None when fine, else the reason in words. An error that it raises counts as the reason."""

Page = Callable[[], tuple[int, bytes, str]]
"""Status, body and content type."""

TEXT = "text/plain; charset=utf-8"
JSON = "application/json; charset=utf-8"
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
"""The text exposition format (Prometheus docs)."""


@dataclass(frozen=True)
class Ready:
    """Named checks. Ready when all are fine; `hints` do not count."""

    checks: Mapping[str, Check]
    hints: Callable[[], Mapping[str, str]] = dict

    def now(self) -> tuple[bool, dict[str, Any]]:
        """Whether this copy is ready, and the document that says why not."""
        found = {name: _run(check) for name, check in self.checks.items()}
        ready = all(word == "ok" for word in found.values())
        hints = dict(self.hints())
        return ready, {**found, "hints": hints} if hints else found

    def pages(self, metrics: Callable[[], bytes]) -> dict[str, Page]:
        """By their paths. `metrics` gives the text for Prometheus."""

        def readiness() -> tuple[int, bytes, str]:
            ready, found = self.now()
            body = json.dumps({"ready": ready, **found}).encode() + b"\n"
            return 200 if ready else 503, body, JSON

        return {
            "/healthz": lambda: (200, b"ok\n", TEXT),
            "/readyz": readiness,
            "/metrics": lambda: (200, metrics(), PROMETHEUS),
        }


def _run(check: Check) -> str:
    try:
        return check() or "ok"
    except TimeoutError as error:
        return str(error)
    except Exception as error:  # reported as the reason: a probe must never get a 500
        return f"{type(error).__name__}: {error}"[:300]


class Bounded(Generic[Read]):
    """A read that may hang, with a time limit: on a connection that silently drops everything it
    would hold a thread for much longer than the next probe or scrape waits.

    Raises what the read raised, or TimeoutError. If a read of an earlier call still hangs, that one
    is waited for again, so threads do not pile up while the database does not answer.
    """

    def __init__(self, read: Callable[[], Read], seconds: float = READ_SECONDS) -> None:
        self._read = read
        self._seconds = seconds
        self._lock = Lock()
        self._running: Future[Read] | None = None

    def __call__(self) -> Read:
        with self._lock:
            running = self._running
            if running is None or running.done():
                running = self._running = Future()
                # A daemon, since a read that hangs must not keep the process from ending.
                Thread(target=self._run, args=(running,), name="bounded", daemon=True).start()
        try:
            return running.result(self._seconds)
        except TimeoutError:
            raise TimeoutError(f"no answer within {self._seconds:g} s") from None

    def _run(self, future: Future[Read]) -> None:
        try:
            future.set_result(self._read())
        except BaseException as error:  # raised again in the thread that waits
            future.set_exception(error)
