"""The pairings of the appliances, read when somebody looks or when the other end is looked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from bot.request.ends import same_pairing
from bot.request.events import CallFailed
from bot.request.lookups import PairingsListed, ReadingPort, SiteUnread
from bot.request.snapshot import Snapshot
from bot.worker.known_pairings import KnownPairings
from bot.worker.side_by_side import SECONDS, SideBySide

COUNTED_MOST = 4
"""Each count is a call, and people's look-ups may use 35 % of an appliance's calls. By default that
is 14 a minute: two lists, or one list and two previews."""

END_FRESH_S = 60.0
"""A list up to this old is used to find the other end, without a call. Pairings are made by hand,
and rarely."""

END_SECONDS = 2.0
"""A card does not wait longer for another appliance."""


class Lists:
    """Threads share it."""

    def __init__(
        self,
        readers: Mapping[str, ReadingPort],
        now: Callable[[], int],
        monotonic: Callable[[], float],
        side_by_side: SideBySide,
    ) -> None:
        self._readers = readers
        self._now = now
        self._monotonic = monotonic
        self._known = KnownPairings(monotonic)
        self._side_by_side = side_by_side

    def known(self, site: str, within_s: float) -> PairingsListed | None:
        return self._known.get(site, within_s)

    def read(
        self,
        sites: Sequence[str],
        by: float,
        *,
        counted: bool = False,
        fresh_s: float = 0,
        seconds: float = SECONDS,
    ) -> tuple[PairingsListed | SiteUnread, ...]:
        """In the order of `sites`. A list that is not older than `fresh_s` is returned again. If
        there is only one appliance it has until `by`, since no other's list waits for it."""
        known = {site: self._known.get(site, fresh_s) for site in sites if fresh_s}
        found = {site: listed for site, listed in known.items() if listed}
        calls = {site: self._call(site, counted) for site in sites if site not in found}
        if len(self._readers) == 1:
            read = {site: call(by) for site, call in calls.items()}
        else:
            read = self._side_by_side.ask(calls, by, seconds)
        return tuple(found.get(site) or _or_unread(site, read[site]) for site in sites)

    def also_at(self, site: str, snapshot: Snapshot, by: float) -> tuple[str, ...]:
        """Other sites that list this pairing. One that cannot be read now is left out, since this
        is only told to people. What must not be missed is found among the open requests."""
        if by - self._monotonic() < END_SECONDS:
            return ()
        others = [name for name in self._readers if name != site]
        return tuple(
            listed.site
            for listed in self.read(others, by, fresh_s=END_FRESH_S, seconds=END_SECONDS)
            if isinstance(listed, PairingsListed)
            and any(same_pairing(item.pairing, snapshot) for item in listed.pairings)
        )

    def _call(self, site: str, counted: bool) -> Callable[[float], PairingsListed | CallFailed]:
        most = COUNTED_MOST if counted else 0

        def call(by: float) -> PairingsListed | CallFailed:
            found = self._readers[site].list_pairings(by, count_at_most=most)
            if isinstance(found, CallFailed):
                return found
            pairings, partial = found
            listed = PairingsListed(
                site=site, pairings=pairings, partial=partial, read_at=self._now()
            )
            self._known.keep(listed)
            return listed

        return call


def _or_unread(site: str, read: PairingsListed | CallFailed) -> PairingsListed | SiteUnread:
    return SiteUnread(site=site, failed=read) if isinstance(read, CallFailed) else read
