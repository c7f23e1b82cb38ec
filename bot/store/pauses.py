"""Pauses that Slack asks for with a 429. They are stored, so all copies and the next start keep
them."""

from __future__ import annotations

from sqlalchemy import select

from bot.request.delivery import LONGEST_PAUSE_S
from bot.store import shared
from bot.store.database import Database
from bot.store.schema import shared as table

PREFIX = "slack-pause:"
_ALL = select(table.c.key, table.c.value).where(table.c.key.startswith(PREFIX, autoescape=True))


class Pauses:
    """Implements `PausesPort` (`bot.request.delivery`). One row per method ever limited."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def known(self) -> dict[str, int]:
        with self._db.read() as conn:
            rows, now = conn.execute(_ALL).all(), self._db.now(conn)
        untils = {row.key.removeprefix(PREFIX): _until(row.value, now) for row in rows}
        return {method: until for method, until in untils.items() if until}

    def hold(self, method: str, seconds: int) -> int:
        held = 0

        def longer(value: str | None, now: int) -> str:
            nonlocal held
            held = max(now + seconds * 1000, _until(value, now))
            return str(held)

        shared.change(self._db, f"{PREFIX}{method}", longer)
        return held

    def now(self) -> int:
        return self._db.clock()


def _until(value: str | None, now: int) -> int:
    """When the pause ends (ms); 0 if that is further away than any pause can be. A clock that was
    ahead must have stored it, and messages would be held back until the right time gets there. If
    Slack still wants a pause, it says so again."""
    until = int(value or 0)
    return until if until <= now + LONGEST_PAUSE_S * 1000 else 0
