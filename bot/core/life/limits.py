"""Every wait of a request's life that is no setting, each with its reason."""

from __future__ import annotations

UNREACHABLE_MS = 5 * 60_000
"""A check gives up on an appliance that has been away this long (contract, `refused`)."""

READINGS_FRESH_MS = 10_000
"""Rights and pairing read before the DELETE are read anew when older: the process may have stood
still in between (another claim reads anew in any case, `bot.worker.lives`). Longer than one reading
takes, shorter than anybody could call stale."""

LONGEST_READING_MS = 20_000
"""A reading that took longer was not slow: its process froze with it, and what it read is old.
Longer than any effect may take at the default settings, shorter than a lease; with a longer
VR_TIMEOUT_SECONDS twice that."""

LIMITED_MS = 60_000
"""After a 429 that names no time: the vendor counts per minute (release notes of 8.8)."""

TELL_AFTER_MS = 30_000
"""The thread hears of a wait only when it lasts: a hiccup is nobody's news."""

LAST_LOOKS_TIMEOUTS = 3
"""So many times VR_TIMEOUT_SECONDS has whoever comes to a request after FOLLOW_TTL and finds that
nobody has looked: for a log-in, a list of tasks and the proof, before a person is called."""

LOOKS_OVER_TIMEOUTS = 2
"""Looks go on over this many times VR_TIMEOUT_SECONDS before a person is called: a call that was
still under way when we looked first has been answered or has timed out by then."""
