"""The messages of a request that Slack does not show, or not as it should."""

from __future__ import annotations

from sqlalchemy import or_, select

from bot.request.delivery import NO_LONGER_WANTED, Unsaid
from bot.store.database import Database
from bot.store.schema import messages


def unsaid(db: Database, request_id: str) -> list[Unsaid]:
    """Messages that wait and messages that were given up, oldest first."""
    missing = or_(messages.c.due_at.isnot(None), messages.c.last_error != NO_LONGER_WANTED)
    query = (
        select(messages)
        .where(messages.c.request_id == request_id, missing)
        .order_by(messages.c.created_at, messages.c.slot)
    )
    with db.read() as conn:
        return [
            Unsaid(
                slot=row.slot,
                error=row.last_error,
                attempts=row.attempts,
                posted=row.ts is not None,
                since=row.created_at,
                due_at=row.due_at,
            )
            for row in conn.execute(query)
        ]
