"""The pairings that were listed lately, for the people who search among them.

In memory only: after a restart, or in another copy of the bot, they are read again. Nothing is
decided by them. What somebody picks is looked up afresh when it is checked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from bot.core.lookups import PairingsListed


class KnownPairings:
    """The latest list of each site. Threads share it."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._listed: dict[str, tuple[float, PairingsListed]] = {}

    def keep(self, listed: PairingsListed) -> None:
        with self._lock:
            self._listed[listed.site] = (self._monotonic(), listed)

    def get(self, site: str, within_s: float) -> PairingsListed | None:
        """None where there is none, or only one that is older than that."""
        with self._lock:
            at, listed = self._listed.get(site, (0.0, None))
        return listed if listed and self._monotonic() - at <= within_s else None
