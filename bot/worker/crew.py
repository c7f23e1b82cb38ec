"""The threads of each lane, and how many of them may be at one appliance at a time.

A call to an appliance that hangs lasts until its timeout. Without this limit a handful of requests
at such an appliance would hold every thread, and nothing would move at the others.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from bot.store.claims import Claim
from bot.store.lanes import Lane

AT_A_SITE = {Lane.CHECK: 1, Lane.ACT: 2}
"""How many threads may be at one of several appliances. Those that decide are at none."""

FEWEST = {Lane.CHECK: 2, Lane.DECIDE: 2, Lane.ACT: 2}
"""Threads when there is one appliance. Two of DECIDE, so that one slow reading of rights at Slack
does not hold up everybody else's click."""

MOST = {Lane.CHECK: 8, Lane.DECIDE: 2, Lane.ACT: 16}
"""The most threads, however many appliances there are, since each idle thread asks the database now
and then. Divided by AT_A_SITE: how many appliances may hang at once before others feel it."""


class Crew:
    """The threads of one lane, and at which sites they are. All of them share it."""

    def __init__(self, lane: Lane, *, sites: int) -> None:
        self.lane = lane
        each = AT_A_SITE.get(lane)
        several = sites > 1 and each is not None
        # One more for checks: requests that name no appliance count as a site of their own.
        wanted = (each or 0) * sites + (lane is Lane.CHECK) if several else 0
        self.threads = min(MOST[lane], max(FEWEST[lane], wanted))
        self._per_site = each if several else None
        self._lock = threading.Lock()
        self._at: Counter[str] = Counter()

    def take(self, claim: Callable[[frozenset[str]], Claim | None]) -> Claim | None:
        """A claim at a site that is not full; `claim` is given those that are. One thread of the
        lane at a time, so that no two take the last place at a site."""
        if self._per_site is None:
            return claim(frozenset())
        with self._lock:
            taken = claim(self._full())
            if taken is not None:
                self._at[taken.request.site] += 1
            return taken

    def give_back(self, taken: Claim) -> None:
        if self._per_site is not None:
            with self._lock:
                self._at[taken.request.site] -= 1

    def full(self) -> frozenset[str]:
        """Sites that have all the threads they may have. No need to look there again before one of
        these is done."""
        with self._lock:
            return self._full()

    def _full(self) -> frozenset[str]:
        most = self._per_site
        return frozenset(s for s, count in self._at.items() if most and count >= most)
