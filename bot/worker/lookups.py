"""Look-ups for one person, in small pools of threads beside the lanes.

A crowd that types `list` must not hold up a request, and whoever finds a queue full is told so at
once. Of several appliances each has a pool of its own for previews, so that one that hangs does not
block the others. So have look-ups that need no appliance: people ask most often where their
requests stand while an appliance hangs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import structlog

from bot.request.events import PairingRead
from bot.request.ids import new_reference
from bot.request.lookups import (
    Found,
    LookFailed,
    MayNotLook,
    PairingsListed,
    PreviewRead,
    ReadingPort,
    SitesRead,
)
from bot.request.model import ANY_SITE
from bot.request.policy import Policy
from bot.request.ports import PeoplePort
from bot.request.who_may import Person, Reason, counts
from bot.worker.lists import Lists
from bot.worker.look_pool import LookPool
from bot.worker.search import search
from bot.worker.side_by_side import SideBySide

log = structlog.get_logger(__name__)

WAITING_MOST = 10
STORED_WAITING_MOST = 30
"""Each takes one call to Slack and one query, so the last of a crowd waits a few seconds. While
Slack hangs it is up to three seconds for every two, and nobody could be told sooner: that needs
Slack."""

LOOK_SECONDS = 20.0
"""For one look-up as a whole: somebody sits in front of it."""


class Lookups:
    """Implements `bot.request.lookups.LookupsPort`."""

    def __init__(
        self,
        readers: Mapping[str, ReadingPort],
        people: PeoplePort,
        policy: Policy,
        lists: Lists,
        side_by_side: SideBySide,
        *,
        waiting_most: int = WAITING_MOST,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._readers = readers
        self._people = people
        self._policy = policy
        self._lists = lists
        self._side_by_side = side_by_side
        self._monotonic = monotonic
        self._general = LookPool("look", waiting_most)
        self._of_store = LookPool("stored-look", STORED_WAITING_MOST)
        several = {ANY_SITE: "look-any"} | {site: f"look-{site}" for site in readers}
        self._of_site = {
            site: LookPool(name, waiting_most) if len(readers) > 1 else self._general
            for site, name in several.items()
        }

    def has_room(self) -> bool:
        return self._general.has_room()

    def submit(self, look: Callable[[], None]) -> bool:
        return self._of_store.submit(look)

    def stored(
        self,
        by: str,
        read: Callable[[], Found],
        then: Callable[[Found | MayNotLook | LookFailed], None],
    ) -> bool:
        def look() -> None:
            then(self._refused(by) or read())

        return self._of_store.submit(lambda: _told(look, then))

    def preview(self, site: str, asked: str, by: str, then: Callable[[PreviewRead], None]) -> bool:
        def look() -> None:
            then(self._refused(by) or self._preview(site, asked))

        return self._of_site[site].submit(lambda: _told(look, then))

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
            read = self._lists.read
            then(refused or read(sites, self._deadline(), counted=counted, fresh_s=fresh_s))

        return self._general.submit(lambda: _told(look, then))

    def known(self, site: str, *, within_s: float) -> PairingsListed | None:
        return self._lists.known(site, within_s)

    def stop(self, seconds: float) -> bool:
        """Drop what waits and give what runs so long; whether it ended. May be asked again."""
        all_pools = (self._general, self._of_store, *self._of_site.values())
        pools = {id(pool): pool for pool in all_pools}
        threads = [thread for pool in pools.values() for thread in pool.close()]
        until = self._monotonic() + seconds
        for thread in threads:
            thread.join(timeout=max(0.0, until - self._monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _preview(self, site: str, asked: str) -> PreviewRead:
        by = self._deadline()
        if site == ANY_SITE:
            read: PreviewRead = search(asked, self._readers, self._policy, self._side_by_side, by)
        else:
            read = self._readers[site].find_and_read(asked, by)
        if not isinstance(read, PairingRead) or len(self._readers) == 1:
            return read
        found_at = read.place.site if read.place else site
        also_at = self._lists.also_at(found_at, read.snapshot, by)
        return read.model_copy(update={"also_at": also_at})

    def _refused(self, by: str) -> MayNotLook | None:
        """Only people of this workspace may see names of sites and servers, and who asked for
        what."""
        person = self._people.person(by)
        if not isinstance(person, Person):
            return MayNotLook(reason=person.reason)
        standing = counts(person, self._people.home())
        return None if standing is Reason.YES else MayNotLook(reason=standing)

    def _deadline(self) -> float:
        return self._monotonic() + LOOK_SECONDS


def _told(look: Callable[[], None], then: Callable[[LookFailed], None]) -> None:
    """If it fails, tell whoever waits, with the reference under which the log has the error."""
    try:
        look()
    except Exception:
        reference = new_reference()
        log.exception("lookup_failed", reference=reference)
        then(LookFailed(reference=reference))
