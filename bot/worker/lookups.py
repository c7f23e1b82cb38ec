"""Look-ups for one person: a small pool of their own, beside the lanes that act and check.

Two threads and a short queue: a crowd that types `list` must not hold up a request, and whoever
comes when it is full is told so at once instead of waiting for words that come too late to matter.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence

import structlog

from bot.core.events import CallFailed
from bot.core.lookups import (
    MayNotLook,
    PairingsListed,
    PreviewRead,
    ReadingPort,
    SitesRead,
    SiteUnread,
)
from bot.core.ports import PeoplePort
from bot.core.rules import Person, Reason, counts
from bot.worker.known_pairings import KnownPairings

log = structlog.get_logger(__name__)

THREADS = 2
WAITING_MOST = 10
LOOK_SECONDS = 20.0
"""For one look-up as a whole: somebody sits in front of it."""

COUNTED_MOST = 4
"""Each count is a call, and looking has 30 % of an appliance's calls: 12 a minute by default."""


class Lookups:
    """Implements `bot.core.lookups.LookupsPort`. Its threads start with the first look-up."""

    def __init__(
        self,
        readers: Mapping[str, ReadingPort],
        people: PeoplePort,
        now: Callable[[], int],
        *,
        waiting_most: int = WAITING_MOST,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._readers = readers
        self._people = people
        self._now = now
        self._monotonic = monotonic
        self._known = KnownPairings(monotonic)
        self._queue: queue.Queue[Callable[[], None] | None] = queue.Queue(waiting_most)
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._stopped = False

    def has_room(self) -> bool:
        return not self._stopped and not self._queue.full()

    def preview(self, site: str, asked: str, by: str, then: Callable[[PreviewRead], None]) -> bool:
        def look() -> None:
            refused = self._refused(by)
            then(refused or self._readers[site].find_and_read(asked, self._deadline()))

        return self._submit(look)

    def pairings(
        self,
        sites: Sequence[str],
        by: str,
        then: Callable[[SitesRead], None],
        *,
        counted: bool = False,
        fresh_s: float = 0,
    ) -> bool:
        def look() -> None:
            refused = self._refused(by)
            deadline = self._deadline()

            def site(name: str) -> PairingsListed | SiteUnread:
                known = self._known.get(name, fresh_s) if fresh_s else None
                return known or self._list(name, deadline, counted)

            then(refused or tuple(site(name) for name in sites))

        return self._submit(look)

    def known(self, site: str, *, within_s: float) -> PairingsListed | None:
        return self._known.get(site, within_s)

    def stop(self, seconds: float) -> bool:
        """Drop what waits and give what runs so long; whether it ended."""
        with self._lock:
            self._stopped = True
            threads = list(self._threads)
        dropped = 0
        while self._take_one():
            dropped += 1
        if dropped:
            log.info("lookups_dropped_at_stop", count=dropped)
        for _ in threads:
            self._queue.put(None)
        until = self._monotonic() + seconds
        for thread in threads:
            thread.join(timeout=max(0.0, until - self._monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _submit(self, look: Callable[[], None]) -> bool:
        with self._lock:
            if self._stopped:
                return False
            try:
                self._queue.put_nowait(look)
            except queue.Full:
                log.warning("lookups_full", waiting=self._queue.maxsize)
                return False
            if len(self._threads) < THREADS:
                name = f"look-{len(self._threads)}"
                thread = threading.Thread(target=self._run, name=name, daemon=True)
                thread.start()
                self._threads.append(thread)
        return True

    def _take_one(self) -> bool:
        try:
            self._queue.get_nowait()
        except queue.Empty:
            return False
        return True

    def _run(self) -> None:
        while (look := self._queue.get()) is not None:
            try:
                look()
            except Exception:
                # Whatever it was, it concerns one person who looked at something: the thread has
                # to be there for the next one.
                log.exception("lookup_failed")

    def _refused(self, by: str) -> MayNotLook | None:
        """Names of sites and servers are for people of this workspace alone."""
        person = self._people.person(by)
        if not isinstance(person, Person):
            return MayNotLook(reason=person.reason)
        standing = counts(person, self._people.home())
        return None if standing is Reason.YES else MayNotLook(reason=standing)

    def _list(self, site: str, by: float, counted: bool) -> PairingsListed | SiteUnread:
        most = COUNTED_MOST if counted else 0
        found = self._readers[site].list_pairings(by, count_at_most=most)
        if isinstance(found, CallFailed):
            return SiteUnread(site=site, failed=found)
        pairings, partial = found
        listed = PairingsListed(site=site, pairings=pairings, partial=partial, read_at=self._now())
        self._known.keep(listed)
        return listed

    def _deadline(self) -> float:
        return self._monotonic() + LOOK_SECONDS
