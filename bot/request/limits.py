"""The times in a request's life that are no settings, each with its reason."""

from __future__ import annotations

UNREACHABLE_MS = 5 * 60_000
"""A check gives up on an appliance that has been away this long (contract, `refused`)."""

READINGS_FRESH_MS = 10_000
"""Rights and pairing that were read before the DELETE are read anew when they are older than this:
the process may have been frozen since. (Another claim reads anew in any case.) Longer than one
reading takes, and shorter than anybody would call stale."""

LONGEST_READING_MS = 20_000
"""When a reading took longer than this, its process must have been frozen, and what it read is old.
Longer than any effect may take at the default settings and shorter than a lease. With a longer
VR_TIMEOUT_SECONDS it is twice that."""

LIMITED_MS = 60_000
"""After a 429 that names no time: the vendor counts per minute (release notes of 8.8)."""

TELL_AFTER_MS = 30_000
"""The thread is told of a wait only when it lasts this long: nobody needs to know of a hiccup."""

LAST_LOOKS_TIMEOUTS = 3
"""When FOLLOW_TTL is over and nobody has looked lately, this many times VR_TIMEOUT_SECONDS is left
for looking before a person is called: enough for a log-in, the task and the proof."""

LOOKS_OVER_TIMEOUTS = 2
"""Looks go on for this many times VR_TIMEOUT_SECONDS before a person is called. By then a call that
was still under way at the first look has been answered or has timed out."""
