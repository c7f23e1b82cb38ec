"""The pages that probes and Prometheus read: `/healthz`, `/readyz`, `/metrics`; and the lines that
`check` finds.

`/readyz` says whether this copy can do its work. Its hints are about faults elsewhere, which taking
this copy out of service would not help against: the lines that the check in the background has
found wrong.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from enum import StrEnum
from threading import Event, Lock, Thread
from typing import Any, Generic, TypeVar

import structlog

log = structlog.get_logger(__name__)

Check = Callable[[], str | None]
"""None when fine, else the reason in words. An error that it raises counts as the reason."""

SECONDS = 3.0
"""For a read that may hang. A scrape makes two, and Prometheus gives up after 10 s by default."""

AGAIN_SECONDS = 300.0
"""The running bot checks again this often while something is wrong. Otherwise a fault that has
passed would stay in `/readyz` until a restart."""

STOP_SECONDS = 1.0
"""The thread may be waiting for a server that hangs. It can be left behind: it holds nothing that
has to be released."""

Read = TypeVar("Read")

Page = Callable[[], tuple[int, bytes, str]]
"""Status, body and content type."""

TEXT = "text/plain; charset=utf-8"
JSON = "application/json; charset=utf-8"
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
"""The text exposition format (Prometheus docs)."""


@dataclass(frozen=True)
class Health:
    """Named checks. Ready when all are fine; `hints` do not count."""

    checks: Mapping[str, Check]
    hints: Callable[[], Mapping[str, str]] = dict

    def ready(self) -> tuple[bool, dict[str, Any]]:
        found = {name: _run(check) for name, check in self.checks.items()}
        ready = all(word == "ok" for word in found.values())
        hints = dict(self.hints())
        return ready, {**found, "hints": hints} if hints else found

    def pages(self, metrics: Callable[[], bytes]) -> dict[str, Page]:
        """By their paths. `metrics` gives the text for Prometheus."""

        def readiness() -> tuple[int, bytes, str]:
            ready, found = self.ready()
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
    except Exception as error:  # reported as the reason: a probe must never get a 500
        return f"{type(error).__name__}: {error}"[:300]


# --- What `check` finds


class Result(StrEnum):
    """`NOTE` is right, but worth reading. `SKIPPED` was not looked at, for a reason that another
    line names, so it does not count as a failure of its own."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Line:
    """What was found of one thing that the bot needs. No field holds a secret.

    `name` is stable (`slack-scope`), `about` says which of several (`chat:write`). `words` say what
    was found, `next_step` what to do about it. `final`: waiting can never make it right, so the bot
    does not go on with it.
    """

    name: str
    result: Result
    words: str = ""
    next_step: str = ""
    about: str = ""
    final: bool = False

    @property
    def ok(self) -> bool | None:
        """None for what was not looked at."""
        return None if self.result is Result.SKIPPED else self.result is not Result.WRONG

    @property
    def key(self) -> str:
        """Which line this is, over several checks."""
        return f"{self.name} {self.about}".strip()

    @property
    def sentence(self) -> str:
        """What is wrong and what to do, without a full stop."""
        return "; ".join(part for part in (self.words, self.next_step) if part)

    def masked(self, secrets: Iterable[str]) -> Line:
        """Without secrets, which a server may have quoted in its error."""
        words, step = self.words, self.next_step
        for secret in sorted(secrets, key=len, reverse=True):
            words, step = words.replace(secret, "***"), step.replace(secret, "***")
        return replace(self, words=words, next_step=step)


def fine(name: str, words: str = "", *, about: str = "") -> Line:
    return Line(name, Result.OK, words, about=about)


def note(name: str, words: str, next_step: str = "", *, about: str = "") -> Line:
    return Line(name, Result.NOTE, words, next_step, about)


def wrong(name: str, words: str, next_step: str, *, about: str = "", final: bool = False) -> Line:
    return Line(name, Result.WRONG, words, next_step, about, final)


def skipped(name: str, needs: str, *, about: str = "") -> Line:
    """`needs`: the line that has to be right first."""
    return Line(name, Result.SKIPPED, f"needs {needs}", about=about)


Checks = tuple[tuple[str, str, Callable[[], Iterable[Line]]], ...]
"""Each: the name of a line, the name of the line that it needs (or none), and what finds it."""


def lines_of(checks: Checks, *, about: str = "") -> Iterator[Line]:
    """What they find, in order. One cause is told once: what needs it is skipped. `about` names the
    place, such as one of several appliances, in lines that name none themselves."""
    causes: dict[str, str] = {}
    for name, needs, look in checks:
        if needs in causes:
            causes[name] = causes[needs]
            yield skipped(name, causes[needs], about=about)
            continue
        try:
            found = list(look())
        except Exception as error:  # a bug in one line must not hide the others
            words = f"could not be looked at ({type(error).__name__}: {error})"
            found = [wrong(name, words, "report this with its words")]
        if any(not line.ok for line in found):
            causes[name] = name
        yield from (line if line.about else replace(line, about=about) for line in found)


class BackgroundCheck:
    """Checks in a thread: at the start, and then again until nothing is wrong.

    A fault that can pass is a warning in the log, once, and a hint in `/readyz` as long as it
    lasts. A fault that cannot ends the process: `end` is called with a sentence. A refused token is
    one, although a supervisor will start the bot again and again. A bot without Slack can neither
    be asked nor answer, every supervisor shows to people that a process ended, and a rolling
    deployment stops there while the old copies still work. A loop of such restarts does no harm:
    each asks Slack one question, and ends before a log-in to any appliance.

    This is so only until this process has seen the token accepted. If it is revoked later, that is
    a hint, because tasks of the appliance are still being followed.
    """

    def __init__(
        self,
        found: Callable[[], Iterable[Line]],
        end: Callable[[str], None],
        again_seconds: float = AGAIN_SECONDS,
    ) -> None:
        self._found = found
        self._end = end
        self._again_seconds = again_seconds
        self._stopping = Event()
        self._wrong: dict[str, Line] = {}
        self._once_fine: set[str] = set()
        self._thread = Thread(target=self._run, name="check", daemon=True)

    def start(self) -> None:
        """Returns at once; the checks run in a thread."""
        self._thread.start()

    def stop(self, seconds: float = STOP_SECONDS) -> bool:
        """Whether the thread ended in this time. May be called repeatedly, and without `start`."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def hints(self) -> dict[str, str]:
        """What was wrong at the last check: the key of each line, and what it says."""
        return {key: line.sentence for key, line in self._wrong.copy().items()}

    def _run(self) -> None:
        while self.once() and self._wrong:
            if self._stopping.wait(self._again_seconds):
                return

    def once(self) -> bool:
        """One round of checks. False if no other may follow, since the bot stops."""
        for line in self._found():
            if self._stopping.is_set():
                return False
            if line.final and line.key not in self._once_fine:
                self._end(f"{line.sentence}.")
                return False
            self._keep(line)
        return True

    def _keep(self, line: Line) -> None:
        # A skipped line says nothing new, so an older hint about it stays.
        before = self._wrong.get(line.key)
        if line.result is Result.WRONG:
            self._wrong[line.key] = line
            if before is None:
                words, step = line.words, line.next_step
                log.warning("check_failed", line=line.key, words=words, next_step=step)
        elif line.ok:
            self._once_fine.add(line.key)
            if self._wrong.pop(line.key, None):
                log.info("check_fine_again", line=line.key)


class Bounded(Generic[Read]):
    """A read that may hang, with a time limit, so that scrapes and probes are answered all the
    same.

    Raises what the read raised, or TimeoutError. If a read of an earlier call still hangs, that one
    is waited for again, so threads do not pile up while the database does not answer.
    """

    def __init__(self, read: Callable[[], Read], seconds: float = SECONDS) -> None:
        self._read = read
        self._seconds = seconds
        self._lock = Lock()
        self._running: Future[Read] | None = None

    def __call__(self) -> Read:
        return self.begun().result(self._seconds)

    def begun(self) -> Future[Read]:
        """The read that is under way, or a new one."""
        with self._lock:
            running = self._running
            if running is None or running.done():
                running = self._running = Future()
                # A daemon, since a read that hangs must not keep the process from ending.
                Thread(target=self._run, args=(running,), name="bounded", daemon=True).start()
            return running

    def _run(self, future: Future[Read]) -> None:
        try:
            future.set_result(self._read())
        except BaseException as error:  # raised again in the thread that waits
            future.set_exception(error)


def in_time(check: Callable[[], str | None], seconds: float, late: str) -> Callable[[], str | None]:
    """The same check, which returns `late` when it has not ended within `seconds`.

    On a connection that silently drops everything, a check hangs for seconds. Probes come more
    often than that, and would block all threads that serve HTTP.
    """
    look = Bounded(check)

    def ask() -> str | None:
        begun = look.begun()
        done, _ = wait([begun], seconds)
        return begun.result() if done else late

    return ask
