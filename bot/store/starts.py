"""Each start of the bot as a record of the audit trail."""

from __future__ import annotations

from bot.core.starts import STARTED, Running, started
from bot.store import audit
from bot.store.database import Database


def note_start(db: Database, running: Running) -> None:
    """One record, with the policy in force and what it changes of the start before."""
    with db.write() as conn:
        before = audit.latest(conn, STARTED)
        audit.append(
            conn, None, [started(running, before.detail if before else None, db.now(conn))]
        )
