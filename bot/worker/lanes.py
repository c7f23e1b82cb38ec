"""How many threads of a lane may be at one appliance at a time.

A call to an appliance that hangs lasts as long as its timeout. With one pool for all, a handful of
requests at such an appliance would stand in every thread, and nothing would move at the others.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from bot.store.claims import Claim

ACTING, CHECKING = 4, 2
"""Threads of the two lanes where there is one appliance."""

ACTING_PER_SITE, CHECKING_PER_SITE = 2, 1
"""At one of several appliances."""

ACTING_MOST, CHECKING_MOST = 16, 8
"""However many appliances: each idle thread looks into the database now and then. So up to this
many over those per site may hang at once before they are felt elsewhere."""


class Lane:
    """The threads of one kind of work, and which sites they are at. Threads share it."""

    def __init__(self, *, checking: bool, sites: int) -> None:
        self.checking = checking
        alone, each, most = (
            (CHECKING, CHECKING_PER_SITE, CHECKING_MOST)
            if checking
            else (ACTING, ACTING_PER_SITE, ACTING_MOST)
        )
        several = sites > 1
        # One more for checks: requests that have named no appliance yet are a site of their own.
        self.threads = min(most, max(alone, each * sites + checking)) if several else alone
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
