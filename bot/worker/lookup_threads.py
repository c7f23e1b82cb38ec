"""What people look up, in threads of its own beside those that work on requests.

A crowd that types `list` must not hold up a request, and whoever finds too many waiting is told so
at once. What asks an appliance has other threads than what needs the store alone: while one hangs,
`status` and Home answer.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from bot.request.lookup_results import (
    HomeRead,
    LookedTooOften,
    LookFailed,
    MayNotLook,
    PreviewRead,
    SitesRead,
    sort_home,
)
from bot.request.plan import AppliancePort, PeoplePort
from bot.request.request_id import new_reference
from bot.request.who_may import OF_THE_WORKSPACE, Policy
from bot.steady_clock import steady_seconds
from bot.store.per_person import TooOften, take
from bot.store.queries import Overview
from bot.threads import Threads
from bot.worker.find_pairings import Lists, find
from bot.worker.rights import Reading

log = structlog.get_logger(__name__)

ASKING_THREADS, ASKING_WAITING_MOST = 4, 10
"""For what asks an appliance."""

STORE_THREADS, STORE_WAITING_MOST = 2, 30
"""For what needs one call to Slack and one query each, so the last of a crowd waits a few seconds.
While Slack hangs it is longer, and nobody could be told sooner: that needs Slack."""

LOOK_SECONDS = 20.0
"""For one lookup as a whole: somebody sits in front of it."""

ASKED_MOST, ENDED_MOST = 5, 5
"""Of the past, on somebody's Home."""

Found = TypeVar("Found")


class Pool:
    """A few threads, started when they are first needed, and a bounded queue of what waits."""

    def __init__(self, name: str, threads: int, waiting_most: int) -> None:
        self._name = name
        self._threads_most, self._waiting_most = threads, waiting_most
        self._waiting: deque[tuple[Callable[[], Any], Callable[[Any], None]]] = deque()
        self._threads = Threads()
        self._changed = threading.Condition()

    def put(self, read: Callable[[], Found], then: Callable[[Found | LookFailed], None]) -> bool:
        """False where too many wait or the bot stops: then it is never done."""
        with self._changed:
            if self._threads.stopping.is_set():
                return False
            if len(self._waiting) >= self._waiting_most:
                log.warning("lookups_full", waiting=len(self._waiting))
                return False
            self._waiting.append((read, then))
            self._changed.notify()
            if len(self._threads) < self._threads_most:
                self._threads.start(f"{self._name}-{len(self._threads)}", self._run)
        return True

    def stop(self, seconds: float) -> bool:
        """Drop what waits and give what runs so long; whether it ended. May be asked again."""
        with self._changed:
            self._threads.stopping.set()
            if self._waiting:
                log.info("lookups_dropped_at_stop", count=len(self._waiting))
            self._waiting.clear()
            self._changed.notify_all()
        return self._threads.stop(seconds)

    def _run(self) -> None:
        stopping = self._threads.stopping.is_set
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or stopping())
                if stopping():
                    return
                read, then = self._waiting.popleft()
            try:
                then(read())
            except Exception:
                # It only affects one person who looked at something, and who is told the reference
                # under which the log has the error. The thread must go on.
                reference = new_reference()
                log.exception("lookup_failed", reference=reference)
                try:
                    then(LookFailed(reference=reference))
                except Exception:
                    log.exception("lookup_failed", reference=reference)


@dataclass
class Lookups:
    """Each lookup hands what it has read to `then`, in a thread of its pool: once, and once more
    with a LookFailed where something raised. Whoever asks never waits. False: too many wait
    already, and nothing is done."""

    appliances: Mapping[str, AppliancePort]
    lists: Lists
    overview: Overview
    people: PeoplePort
    policy: Policy
    monotonic: Callable[[], float] = steady_seconds

    def __post_init__(self) -> None:
        self._asking = Pool("lookup", ASKING_THREADS, ASKING_WAITING_MOST)
        self._storing = Pool("stored-lookup", STORE_THREADS, STORE_WAITING_MOST)
        self.known = self.lists.known

    def preview(self, site: str, asked: str, by: str, then: Callable[[PreviewRead], None]) -> bool:
        """What somebody typed, for `by`, a Slack user, at this site, or at all for ANY_SITE."""

        def read() -> PreviewRead:
            within = self.monotonic() + LOOK_SECONDS
            untold = self._too_often(by) or self._refused(by)
            return untold or find(site, asked, self.appliances, self.policy, self.lists, within)

        return self._asking.put(read, then)

    def pairings(
        self,
        sites: Sequence[str],
        by: str,
        then: Callable[[SitesRead], None],
        *,
        counted: bool = False,
        fresh_s: float = 0,
    ) -> bool:
        """All pairings of these sites, likewise (see `Lists.read`)."""

        def read() -> SitesRead:
            within = self.monotonic() + LOOK_SECONDS
            untold = (self._too_often(by) if counted else None) or self._refused(by)
            return untold or self.lists.read(sites, within, counted=counted, fresh_s=fresh_s)

        return self._asking.put(read, then)

    def stored(
        self,
        by: str,
        read: Callable[[], Found],
        then: Callable[[Found | MayNotLook | LookFailed], None],
        *,
        team: str | None = None,
        channel: str | None = None,
    ) -> bool:
        """What `read` finds in the store. It is read only for somebody who may look; with a
        `channel` for somebody who could ask there, who came from `team`."""
        return self._storing.put(lambda: self._refused(by, team, channel) or read(), then)

    def home(self, by: str, then: Callable[[HomeRead], None]) -> bool:
        """What the Home tab shows this person."""
        return self._storing.put(lambda: self._home(by), then)

    def stop(self, seconds: float) -> bool:
        """Whether all that ran has ended. May be asked again."""
        ended = [pool.stop(seconds) for pool in (self._asking, self._storing)]
        return all(ended)

    def _home(self, by: str) -> HomeRead:
        """Whether they may decide is only shown: rights are read anew at each click."""
        reading = self._reading()
        verdict = reading.right(by, None, self.policy.approvers)
        if verdict.reason not in OF_THE_WORKSPACE:
            return MayNotLook(reason=verdict.reason)
        glass = self.policy.break_glass
        return sort_home(
            by,
            unfinished=self.overview.unfinished(),
            asked=self.overview.asked_by(by, ASKED_MOST),
            ended=self.overview.ended(ENDED_MOST),
            unresolved=self.overview.unresolved(),
            may_decide=verdict.yes,
            may_break_glass=bool(glass) and reading.right(by, None, glass).yes,
            rights_unread=verdict.unread,
        )

    def _too_often(self, by: str) -> LookedTooOften | None:
        """Each takes one from their bucket. Not so the form, which is mostly filled from memory."""
        db = self.overview.db
        try:
            with db.write() as conn:
                take(conn, db, by)
        except TooOften as often:
            return LookedTooOften(seconds=often.seconds)
        return None

    def _refused(
        self, by: str, team: str | None = None, channel: str | None = None
    ) -> MayNotLook | None:
        """Only people of this workspace may see names of sites and servers, and who asked for
        what."""
        reading = self._reading()
        if channel is not None:
            verdict = reading.right_to_ask(by, team, self.policy, channel)
        else:
            verdict = reading.right(by, team, None)
        return None if verdict.yes else MayNotLook(reason=verdict.reason)

    def _reading(self) -> Reading:
        return Reading(self.people, self.monotonic() + LOOK_SECONDS, self.monotonic)
