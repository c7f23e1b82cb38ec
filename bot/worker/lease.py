"""How long a lease lasts, and how much of it an effect may take.

Worst case: an effect that outlasts its lease. Another process may claim the row then, and two of
them act on the same request at once.
"""

from __future__ import annotations

from collections.abc import Iterable

from bot.request.model import Request
from bot.request.plan import Effect, ReadRights, SendDelete

LEASE_MS = 25_000
"""At the default settings. With one poll on top, another copy goes on within 30 s after a kill."""

LEASE_OVER_TIMEOUT = 2.5
"""A lease in multiples of VR_TIMEOUT_SECONDS: an effect, which has EFFECT_SHARE of it, then has
time for one whole timeout."""

EFFECT_SHARE = 0.6
"""How much of a lease one effect may take. The rest is for earlier effects of the same claim and
for the commit afterwards."""

SEND_SHARE = 0.2
"""How much of a lease must be left to begin a DELETE. Less than for any other effect, because its
readings are made under the same lease: were it as much, a reading of some seconds would leave too
little each time, and an approved DELETE would never be sent."""

RIGHTS_AGAIN_MS = 1_000
"""The least time for reading rights once more, when reading the pairing took so long that they have
grown old."""

COMMIT_MS = 2_000
"""Left of a lease after the longest effect, for its commit."""


def lease_ms(timeouts_s: Iterable[float]) -> int:
    """`timeouts_s`: VR_TIMEOUT_SECONDS of each appliance. Longer if one has more time to answer."""
    return max(LEASE_MS, int(max(timeouts_s) * LEASE_OVER_TIMEOUT * 1000))


def time_for(effect: Effect, request: Request, left_ms: float, lease_ms: int) -> float | None:
    """How many ms the effect may take when `left_ms` of the lease are left; None when that is too
    little to begin."""
    send_ms = lease_ms * SEND_SHARE
    most = lease_ms * EFFECT_SHARE
    least, kept = most, float(COMMIT_MS)
    if isinstance(effect, SendDelete):
        least = send_ms
    elif isinstance(effect, ReadRights) and request.readings.appliance_at is not None:
        least, kept = RIGHTS_AGAIN_MS, COMMIT_MS + send_ms
    time_ms = min(most, left_ms - kept)
    return time_ms if time_ms >= least else None
