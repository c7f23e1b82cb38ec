"""What Slack's 429s hold back, in a table: all copies obey, and so does the next start."""

from __future__ import annotations

from sqlalchemy import select

from bot.store import shared
from bot.store.database import Database
from bot.store.schema import shared as table

PREFIX = "slack-pause:"
_ALL = select(table.c.key, table.c.value).where(table.c.key.startswith(PREFIX, autoescape=True))


class Pauses:
    """Implements `bot.core.delivery.PausesPort`. One row per method that was ever refused."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def known(self) -> dict[str, int]:
        with self._db.read() as conn:
            rows = conn.execute(_ALL).all()
        return {row.key.removeprefix(PREFIX): int(row.value) for row in rows}

    def hold(self, method: str, seconds: int) -> int:
        held = 0

        def longer(value: str | None, now: int) -> str:
            nonlocal held
            held = max(now + seconds * 1000, int(value or 0))
            return str(held)

        shared.change(self._db, f"{PREFIX}{method}", longer)
        return held

    def now(self) -> int:
        return self._db.clock()
