"""The threads of each lane, and how many of them may be at one appliance at a time.

A call to an appliance that hangs lasts as long as its timeout. With one pool for all, a handful of
requests at such an appliance would stand in every thread, and nothing would move at the others.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from bot.store.claims import Claim
from bot.store.lanes import Lane

AT_A_SITE = {Lane.CHECK: 1, Lane.ACT: 2}
"""Threads that may be at one of several appliances. Who decides is at none."""

FEWEST = {Lane.CHECK: 2, Lane.DECIDE: 2, Lane.ACT: 2}
"""Threads where there is one appliance. Two who decide: one slow reading of rights at Slack must
not hold up everybody else's click."""

MOST = {Lane.CHECK: 8, Lane.DECIDE: 2, Lane.ACT: 16}
"""However many appliances: each idle thread looks into the database now and then. So up to this
many over those at a site may hang at once before they are felt elsewhere."""


class Crew:
    """The threads of one lane, and which sites they are at. They share it."""

    def __init__(self, lane: Lane, *, sites: int) -> None:
        self.lane = lane
        each = AT_A_SITE.get(lane)
        several = sites > 1 and each is not None
        # One more for checks: requests that have named no appliance yet are a site of their own.
        wanted = (each or 0) * sites + (lane is Lane.CHECK) if several else 0
        self.threads = min(MOST[lane], max(FEWEST[lane], wanted))
        self._per_site = each if several else None
        self._lock = threading.Lock()
        self._at: Counter[str] = Counter()

    def take(self, claim: Callable[[frozenset[str]], Claim | None]) -> Claim | None:
        """A claim at a site that has room; `claim` is given those that have none. One thread of
        the lane at a time, so that two never take the last room."""
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
        """Sites whose requests wait for a thread that is there already: no reason to look again
        before one of them has ended."""
        with self._lock:
            return self._full()

    def _full(self) -> frozenset[str]:
        most = self._per_site
        return frozenset(s for s, count in self._at.items() if most and count >= most)
