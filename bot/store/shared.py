"""What all copies of the bot share: one value for each key, changed in a transaction. Among them
are the pauses that Slack asks for with a 429, which the next start keeps too."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.request.messages import LONGEST_PAUSE_S
from bot.store.database import Database
from bot.store.schema import shared

# Built once: they run before every call to an appliance, and building a statement takes longer than
# SQLite needs to run it.
_READ = select(shared).where(shared.c.key == bindparam("wanted"))
_LOCKED = _READ.with_for_update()
_UPDATE = update(shared).where(shared.c.key == bindparam("wanted"))

Change = Callable[[str | None, int], str]
"""Takes the present value, None if there is none, and the time in ms. Returns the new value, or
raises to change nothing."""


def change(db: Database, key: str, how: Change) -> None:
    """Read, change and write one value while its row is locked."""
    try:
        _change(db, key, how)
    except IntegrityError:
        _change(db, key, how)  # another copy inserted the row between our read and our insert


def _change(db: Database, key: str, how: Change) -> None:
    with db.write() as conn:
        row = conn.execute(_LOCKED, {"wanted": key}).one_or_none()
        now = db.now(conn)  # read after the lock, since the wait for it takes time
        value = how(row.value if row else None, now)
        if row is None:
            conn.execute(insert(shared), {"key": key, "value": value, "at": now})
        elif value != row.value:
            conn.execute(_UPDATE, {"wanted": key, "value": value, "at": now})


def read(db: Database, key: str) -> tuple[str, int] | None:
    """The value and when it was written (ms)."""
    with db.read() as conn:
        row = conn.execute(_READ, {"wanted": key}).one_or_none()
        return (row.value, row.at) if row else None


# ---- what Slack holds back ----------------------------------------------------------------------

RESPONSE_URL = "response_url"
"""Stands for all of these addresses, where otherwise a method is named."""

PREFIX = "slack-pause:"
_PAUSES = select(shared.c.key, shared.c.value).where(
    shared.c.key.in_(bindparam("keys", expanding=True))
)


def paused(conn: Connection, now: int, *methods: str) -> dict[str, int]:
    """For those that a 429 has ever held back, by Slack's name of the method, the time (ms epoch)
    before which it may not be called. One that has passed tells since when Slack takes all again.
    """
    rows = conn.execute(_PAUSES, {"keys": [f"{PREFIX}{method}" for method in methods]})
    untils = {row.key.removeprefix(PREFIX): _until(row.value, now) for row in rows}
    return {method: until for method, until in untils.items() if until}


class Pauses:
    """What a 429 holds back. One row per method ever limited."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def hold(self, method: str, seconds: int) -> int:
        """Slack has named these seconds. Returns until when it is held now, never earlier than
        before."""
        held = 0

        def longer(value: str | None, now: int) -> str:
            nonlocal held
            held = max(now + seconds * 1000, _until(value, now))
            return str(held)

        change(self._db, f"{PREFIX}{method}", longer)
        return held

    def left_ms(self, method: str) -> int:
        """How long the method is still held back; 0 if it is not."""
        with self._db.read() as conn:
            now = self._db.now(conn)
            return max(0, paused(conn, now, method).get(method, 0) - now)


def _until(value: str | None, now: int) -> int:
    """When the pause ends (ms); 0 if that is further away than any pause can be. A clock that was
    ahead must have stored it, and messages would be held back until the right time gets there. If
    Slack still wants a pause, it says so again."""
    until = int(value or 0)
    return until if until <= now + LONGEST_PAUSE_S * 1000 else 0
