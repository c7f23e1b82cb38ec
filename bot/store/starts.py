"""Writes each start of the bot into the audit trail."""

from __future__ import annotations

from bot.request.starts import STARTED, Running, started
from bot.store import audit
from bot.store.database import Database


def note_start(db: Database, running: Running) -> None:
    """Adds one record: the policy in force, and how it differs from the start before."""
    with db.write() as conn:
        before = audit.latest(conn, STARTED)
        audit.append(
            conn, None, [started(running, before.detail if before else None, db.now(conn))]
        )
