"""What people look up, in one small pool of threads beside those that work on requests.

A crowd that types `list` must not hold up a request, and whoever finds the pool full is told so at
once. What asks an appliance holds at most a part of the threads, and of those one appliance only
some: while one hangs, `status` and Home answer, and so do lookups at the others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog

from bot.request.events import PairingRead
from bot.request.lookup_results import (
    HomeRead,
    LookFailed,
    MayNotLook,
    PreviewRead,
    SitesRead,
    sort_home,
)
from bot.request.model import ANY_SITE, new_reference
from bot.request.plan import AppliancePort, PeoplePort
from bot.request.who_may import Person, Policy, Reason, counts
from bot.store.queries import Overview
from bot.worker.pairings import Lists, search
from bot.worker.rights import Reading

log = structlog.get_logger(__name__)

THREADS, ASKING_MOST, AT_ONE_APPLIANCE = 6, 4, 2
"""All threads; those that may ask appliances at the same time; and those that may ask one of them,
or several together."""

WAITING_MOST, STORED_WAITING_MOST = 10, 30
"""How many may wait for an appliance, and how many for the store. Each of the latter takes one call
to Slack and one query, so the last of a crowd waits a few seconds. While Slack hangs it is up to
three seconds for every two, and nobody could be told sooner: that needs Slack."""

LOOK_SECONDS = 20.0
"""For one lookup as a whole: somebody sits in front of it."""

ASKED_MOST, ENDED_MOST = 5, 5
"""Of the past, on somebody's Home."""

MAY_LOOK = frozenset({Reason.YES, Reason.NOT_LISTED, Reason.GROUP_UNREADABLE})
"""People of this workspace, whether or not they may decide: they may look."""

Found = TypeVar("Found")


@dataclass(frozen=True)
class _Waiting:
    """`at`: the site that it asks, ANY_SITE for several, None where it needs no appliance."""

    look: Callable[[], None]
    at: str | None


class Lookups:
    """Each lookup runs in a thread of the pool, which starts with the first of them, and hands what
    it has read to `then`, there: once, and once more with a LookFailed where something raised.
    Whoever asks never waits. False: too many wait already, and nothing is done."""

    def __init__(
        self,
        appliances: Mapping[str, AppliancePort],
        lists: Lists,
        overview: Overview,
        people: PeoplePort,
        policy: Policy,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lists = lists
        self._appliances = appliances
        self._overview = overview
        self._people = people
        self._policy = policy
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._waiting: list[_Waiting] = []
        self._running: list[_Waiting] = []
        self._threads: list[threading.Thread] = []
        self._stopped = False

    # ---- what can be looked up ------------------------------------------------------------------

    def preview(self, site: str, asked: str, by: str, then: Callable[[PreviewRead], None]) -> bool:
        """What somebody typed, for `by`, a Slack user, at this site, or at all for ANY_SITE."""
        return self._put(lambda: self._refused(by) or self._preview(site, asked), then, site)

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
            refused = self._refused(by)
            by_then = self._monotonic() + LOOK_SECONDS
            return refused or self.lists.read(sites, by_then, counted=counted, fresh_s=fresh_s)

        return self._put(read, then, sites[0] if len(sites) == 1 else ANY_SITE)

    def stored(
        self,
        by: str,
        read: Callable[[], Found],
        then: Callable[[Found | MayNotLook | LookFailed], None],
    ) -> bool:
        """What `read` finds in the store. It is read only for somebody who may look."""
        return self._put(lambda: self._refused(by) or read(), then, None)

    def home(self, by: str, then: Callable[[HomeRead], None]) -> bool:
        """What the Home tab shows this person."""
        return self._put(lambda: self._home(by), then, None)

    def has_room(self) -> bool:
        """Whether one more that asks an appliance would be taken now."""
        with self._changed:
            return self._room(ANY_SITE)

    # ---- how each is read -----------------------------------------------------------------------

    def _preview(self, site: str, asked: str) -> PreviewRead:
        by = self._monotonic() + LOOK_SECONDS
        if site == ANY_SITE:
            read: PreviewRead = search(
                asked, self._appliances, self._policy, by, monotonic=self._monotonic
            )
        else:
            read = self._appliances[site].find_and_read(asked, by)
        if not isinstance(read, PairingRead):
            return read
        found_at = read.place.site if read.place else site
        also_at = self.lists.also_at(found_at, read.snapshot, by)
        return read.model_copy(update={"also_at": also_at})

    def _home(self, by: str) -> HomeRead:
        """Whether they may decide is only shown: rights are read anew at each click."""
        reading = Reading(self._people, self._monotonic() + LOOK_SECONDS, self._monotonic)
        verdict = reading.right(by, None, self._policy.approvers)
        if verdict.reason not in MAY_LOOK:
            return MayNotLook(reason=verdict.reason)
        glass = self._policy.break_glass
        return sort_home(
            by,
            unfinished=self._overview.unfinished(),
            asked=self._overview.asked_by(by, ASKED_MOST),
            ended=self._overview.ended(ENDED_MOST),
            unresolved=self._overview.unresolved(),
            may_decide=verdict.yes,
            may_break_glass=bool(glass) and reading.right(by, None, glass).yes,
            rights_unread=verdict.unread,
        )

    def _refused(self, by: str) -> MayNotLook | None:
        """Only people of this workspace may see names of sites and servers, and who asked for
        what."""
        person = self._people.person(by)
        if not isinstance(person, Person):
            return MayNotLook(reason=person.reason)
        reason = counts(person, self._people.home())
        return None if reason is Reason.YES else MayNotLook(reason=reason)

    # ---- the pool -------------------------------------------------------------------------------

    def _put(
        self,
        read: Callable[[], Found],
        then: Callable[[Found | LookFailed], None],
        at: str | None,
    ) -> bool:
        def look() -> None:
            try:
                then(read())
            except Exception:
                # Whoever waits is told the reference under which the log has the error.
                reference = new_reference()
                log.exception("lookup_failed", reference=reference)
                then(LookFailed(reference=reference))

        with self._changed:
            if not self._room(at):
                if not self._stopped:
                    log.warning("lookups_full", waiting=len(self._waiting))
                return False
            self._waiting.append(_Waiting(look, at))
            if len(self._threads) < THREADS:
                name = f"lookup-{len(self._threads)}"
                thread = threading.Thread(target=self._run, name=name, daemon=True)
                thread.start()
                self._threads.append(thread)
            self._changed.notify_all()
        return True

    def _room(self, at: str | None) -> bool:
        waiting = sum((one.at is None) == (at is None) for one in self._waiting)
        most = STORED_WAITING_MOST if at is None else WAITING_MOST
        return not self._stopped and waiting < most

    def _run(self) -> None:
        while (one := self._next()) is not None:
            try:
                one.look()
            except Exception:
                # It only affects one person who looked at something. The thread must go on for the
                # next one.
                log.exception("lookup_failed", reference=new_reference())
            finally:
                with self._changed:
                    self._running.remove(one)

    def _next(self) -> _Waiting | None:
        """The first that may begin now; None when the bot stops."""
        with self._changed:
            while not self._stopped:
                for one in self._waiting:
                    if self._may_begin(one.at):
                        self._waiting.remove(one)
                        self._running.append(one)
                        return one
                self._changed.wait()
            return None

    def _may_begin(self, at: str | None) -> bool:
        asking = [one.at for one in self._running if one.at is not None]
        return at is None or (len(asking) < ASKING_MOST and asking.count(at) < AT_ONE_APPLIANCE)

    def stop(self, seconds: float) -> bool:
        """Drop what waits and give what runs so long; whether it ended. May be asked again."""
        with self._changed:
            self._stopped = True
            if self._waiting:
                log.info("lookups_dropped_at_stop", count=len(self._waiting))
            self._waiting.clear()
            self._changed.notify_all()
        until = self._monotonic() + seconds
        for thread in self._threads:
            thread.join(timeout=max(0.0, until - self._monotonic()))
        return not any(thread.is_alive() for thread in self._threads)
