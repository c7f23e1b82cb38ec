"""How often one person may have an appliance asked for something: a request, a `preview`, a `list`.

Each costs two to five of the calls that an appliance takes in a minute, so that a single person who
types nonsense could keep everybody else's requests from being checked. So there is a bucket for
each person, which all copies share.
"""

from __future__ import annotations

from math import ceil

from sqlalchemy import Connection

from bot.store.database import Database, change_within

AT_ONCE = 20
"""What a full bucket holds. An on-call admin who moves a site asks for its pairings one after the
other, each with a preview or a second try: a dozen and a half in a few minutes is a busy evening.
Twenty checks are done in three minutes at the default of 40 calls a minute."""

EVERY_MS = 30_000
"""How long until one more is there. Two checks a minute take 8 of the 28 calls that checks may use
(`bot.appliance.budget`), and of the 14 at the least VR_CALLS_PER_MINUTE: others find room."""


class TooOften(Exception):
    """Their bucket is empty; in so many `seconds` there is one more."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def take(conn: Connection, db: Database, person: str) -> None:
    """One from their bucket, within a transaction. Raises TooOften; then nothing is changed."""
    change_within(conn, db, f"asked:{person}", _one_more)


def _one_more(value: str | None, now: int) -> str:
    """`value`: when the bucket is full again (ms), which is all that there is to know of it."""
    longest = AT_ONCE * EVERY_MS
    # min: a clock that was set back must not make anybody wait for longer than that.
    full_at = max(now, min(int(value or 0), now + longest)) + EVERY_MS
    if full_at > now + longest:
        raise TooOften(ceil((full_at - now - longest) / 1000))
    return str(full_at)
