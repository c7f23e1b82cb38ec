"""What a 429 of Slack holds back: all copies share it, and the next start keeps it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from bot.request.messages import LONGEST_PAUSE_S
from bot.store.database import Database, change_shared
from bot.store.schema import shared

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


@dataclass(frozen=True)
class Pauses:
    """What a 429 holds back. One row per method ever limited."""

    db: Database

    def hold(self, method: str, seconds: int) -> int:
        """Slack has named these seconds. Returns until when it is held now, never earlier than
        before."""
        held = 0

        def longer(value: str | None, now: int) -> str:
            nonlocal held
            held = max(now + seconds * 1000, _until(value, now))
            return str(held)

        change_shared(self.db, f"{PREFIX}{method}", longer)
        return held

    def left_ms(self, method: str) -> int:
        """How long the method is still held back; 0 if it is not."""
        with self.db.read() as conn:
            now = self.db.now(conn)
            return max(0, paused(conn, now, method).get(method, 0) - now)


def _until(value: str | None, now: int) -> int:
    """When the pause ends (ms); 0 if that is further away than any pause can be. A clock that was
    ahead must have stored it, and messages would be held back until the right time gets there. If
    Slack still wants a pause, it says so again."""
    until = int(value or 0)
    return until if until <= now + LONGEST_PAUSE_S * 1000 else 0
