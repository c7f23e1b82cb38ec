"""What all copies of the bot share: one value for each key, changed in a transaction."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

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
