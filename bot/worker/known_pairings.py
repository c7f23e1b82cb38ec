"""The pairings that were listed lately, so that people can search among them.

In memory only: after a restart, or in another copy of the bot, they are read again. They decide
nothing: what somebody picks is read again from the appliance when it is checked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from bot.request.lookups import PairingsListed


class KnownPairings:
    """The latest list of each site. Thread-safe."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._listed: dict[str, tuple[float, PairingsListed]] = {}

    def keep(self, listed: PairingsListed) -> None:
        with self._lock:
            self._listed[listed.site] = (self._monotonic(), listed)

    def get(self, site: str, within_s: float) -> PairingsListed | None:
        """The latest list, or None if there is none or it is older than `within_s`."""
        with self._lock:
            at, listed = self._listed.get(site, (0.0, None))
        return listed if listed and self._monotonic() - at <= within_s else None
