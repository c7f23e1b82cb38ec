"""The store's side of the adapter, in memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.request.events import Event, PairingUnresolved
from bot.request.lookup_results import (
    Home,
    HomeRead,
    LookFailed,
    MayNotLook,
    PairingsListed,
    PreviewRead,
    SitesRead,
    SiteUnread,
)
from bot.request.messages import Due
from bot.request.model import Request, State
from bot.request.pairing import Snapshot


@dataclass
class Put:
    event: Event
    origin: str
    request_id: str
    response_url: str | None
    answer_via: int | None


class FakePauses:
    """In memory, as one process has them. `now` in ms."""

    def __init__(self, now: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000) -> None:
        self.now = now
        self._lock = threading.Lock()
        self._until: dict[str, int] = {}

    def known(self) -> dict[str, int]:
        with self._lock:
            return dict(self._until)

    def left_ms(self, method: str) -> int:
        return max(0, self.known().get(method, 0) - self.now())

    def hold(self, method: str, seconds: int) -> int:
        with self._lock:
            until = max(self.now() + seconds * 1000, self._until.get(method, 0))
            self._until[method] = until
            return until


class FakeInbox:
    """Unique by origin. `broken` is raised instead of storing."""

    def __init__(self) -> None:
        self.puts: list[Put] = []
        self.broken: Exception | None = None
        self._lock = threading.Lock()

    def put(
        self,
        event: Event,
        *,
        origin: str,
        request_id: str,
        response_url: str | None = None,
        answer_via: int | None = None,
    ) -> int | None:
        with self._lock:
            if self.broken:
                raise self.broken
            if any(p.origin == origin for p in self.puts):
                return None
            self.puts.append(Put(event, origin, request_id, response_url, answer_via))
            return len(self.puts)

    def stored(self, origin: str) -> Event | None:
        return next((p.event for p in self.puts if p.origin == origin), None)

    def address(self, number: int) -> str | None:
        return self.puts[number - 1].response_url if 0 < number <= len(self.puts) else None


class FakeLookups:
    """Gives what is set, at once and in the thread of whoever asks; `full` takes nothing.
    `asked` remembers what was looked up, by whom."""

    def __init__(self) -> None:
        self.sites: dict[str, PairingsListed | SiteUnread] = {}
        self.read: PreviewRead = PairingUnresolved(why="none")
        self.refusal: MayNotLook | LookFailed | None = None
        self.in_memory: dict[str, PairingsListed] = {}
        self.full = False
        self.asked: list[tuple[object, ...]] = []
        self.homes: dict[str, HomeRead] = {}

    def preview(self, site: str, typed: str, by: str, then: Callable[[PreviewRead], None]) -> bool:
        return self._take(("preview", site, typed, by), then, lambda: self.read)

    def pairings(
        self,
        sites: Sequence[str],
        by: str,
        then: Callable[[SitesRead], None],
        *,
        counted: bool = False,
        fresh_s: float = 0,
    ) -> bool:
        asked = ("pairings", tuple(sites), by, counted)
        return self._take(asked, then, lambda: tuple(self.sites[site] for site in sites))

    def stored(self, by: str, read: Callable[[], Any], then: Callable[[Any], None]) -> bool:
        return self._take(("stored", by), then, read)

    def home(self, by: str, then: Callable[[HomeRead], None]) -> bool:
        return self._take(("home", by), then, lambda: self.homes.get(by, Home()))

    def has_room(self) -> bool:
        return not self.full

    def known(self, site: str, *, within_s: float) -> PairingsListed | None:
        return self.in_memory.get(site)

    def _take(
        self, asked: tuple[object, ...], then: Callable[[Any], None], found: Callable[[], Any]
    ) -> bool:
        if not self.full:
            self.asked.append(asked)
            then(self.refusal or found())
        return not self.full


class FakeRequests:
    def __init__(self, *rows: Request) -> None:
        self.rows = {r.id: r for r in rows}

    def now(self) -> int:
        return 1_700_000_000_000

    def get(self, request_id: str) -> Request | None:
        return self.rows.get(request_id)

    def unfinished(self) -> list[Request]:
        return [r for r in self.rows.values() if r.state.open]

    def ended(self, limit: int) -> list[Request]:
        return [r for r in self.rows.values() if not r.state.open][:limit]

    def unresolved(self) -> list[Request]:
        return [r for r in self.rows.values() if r.unresolved]

    def unclear(self, snapshot: Snapshot) -> Request | None:
        found = [r for r in self.rows.values() if r.state is State.ATTENTION and r.snapshot]
        return next((r for r in found if r.pairing_id == snapshot.pairing_id), None)


@dataclass
class FakeOutbox:
    """Gives what is queued, in order, unless its kind is paused; remembers every verdict."""

    rows: dict[str, Request] = field(default_factory=dict)
    queue: list[Due] = field(default_factory=list)
    done: list[tuple[str, Due, dict[str, object]]] = field(default_factory=list)
    pauses: FakePauses | None = None
    clock_ms: int = 1_000_000
    claim_error: Exception | None = None
    sent_errors: list[Exception] = field(default_factory=list)
    woken: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)

    def claim(self, wait_s: float = 0.0) -> Due | None:
        paused = self.pauses.known() if self.pauses else {}
        with self.changed:
            if self.claim_error is not None:
                error, self.claim_error = self.claim_error, None
                raise error
            for due in self.queue:
                if paused.get(_kind(due), 0) <= self.clock_ms:
                    self.queue.remove(due)
                    row = {"request": self.rows.get(due.request_id), "at": self.clock_ms}
                    return due.model_copy(update=row)
        self.wait(wait_s)
        return None

    def sent(self, due: Due, *, ts: str | None, digest: str) -> None:
        if self.sent_errors:
            raise self.sent_errors.pop()
        self._did("sent", due, ts=ts, digest=digest)

    def put_off(
        self, due: Due, *, until: int, error: str, refused: bool = False, lost: bool = False
    ) -> None:
        told = {"refused": refused, "lost": lost}
        self._did("put_off", due, until=until, error=error, **{k: v for k, v in told.items() if v})

    def given_up(self, due: Due, *, error: str) -> None:
        self._did("given_up", due, error=error)

    def now(self) -> int:
        return self.clock_ms

    def wait(self, seconds: float) -> None:
        with self.changed:
            self.changed.wait_for(lambda: bool(self.queue) or self.woken, seconds)

    def end_waiting(self) -> None:
        with self.changed:
            self.woken = True
            self.changed.notify_all()

    def add(self, due: Due) -> None:
        with self.changed:
            self.queue.append(due)
            self.changed.notify_all()

    def wait_done(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.done) >= count, 5), self.done

    def last(self) -> tuple[str, dict[str, object]]:
        word, _, values = self.done[-1]
        return word, values

    def _did(self, word: str, due: Due, **values: object) -> None:
        due = due.model_copy(update={"request": None, "at": 0})  # as it was queued
        with self.changed:
            self.done.append((word, due, values))
            self.changed.notify_all()


def _kind(due: Due) -> str:
    if due.answer is not None:
        return "response_url"
    return "chat.update" if due.ts else "chat.postMessage"
