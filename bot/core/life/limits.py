"""Every wait of a request's life that is no setting, each with its reason."""

from __future__ import annotations

UNREACHABLE_MS = 5 * 60_000
"""A check gives up on an appliance that has been away this long (contract, `refused`)."""

READINGS_FRESH_MS = 10_000
"""Rights and pairing read before the DELETE are read anew when older: a process may have died in
between. Longer than one reading takes, shorter than anybody could call stale."""

SHORT_REST_MS = 10_000
"""A rest of the log-in that is over by then was refused by nobody: another copy, or a process that
was killed, has just logged in, and its first call will tell (`bot.appliance.gate`, PROOF_MS)."""

LIMITED_MS = 60_000
"""After a 429 that names no time: the vendor counts per minute (release notes of 8.8)."""

TELL_AFTER_MS = 30_000
"""The thread hears of a wait only when it lasts: a hiccup is nobody's news."""

LOOKS_OVER_TIMEOUTS = 2
"""Looks go on over this many times VR_TIMEOUT_SECONDS before a person is called: a call that was
still under way when we looked first has been answered or has timed out by then."""
