"""The intent to send the DELETE: the one transaction that everything depends on.

What sends the DELETE does so only after this commit, and whoever finds the intent stored never
sends again. So everything that could forbid it is asked in the UPDATE itself: the claim (the row's
version), that it is approved, its time, and that no event waits but those that cannot stop it
(`may_stop`). A Withdraw that is stored before the intent wins; presses of people who may not decide
do not hold it up.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, bindparam, exists, false, or_, select, true

from bot.request.absorb import may_stop
from bot.request.event_changes import Absorbed
from bot.request.model import State
from bot.store.database import Database
from bot.store.inbox import unabsorbed
from bot.store.saving import Claim, write_row
from bot.store.schema import inbox, requests

_LOCKED = select(requests.c.version).where(requests.c.id == bindparam("id")).with_for_update()


def save_intent(db: Database, claim: Claim, step: Absorbed) -> tuple[Claim, bool]:
    """Raises SaveRefused, ClaimLost, or Unreadable (which may be a Withdraw): then nothing may be
    sent."""
    with _row_locked(db, claim) as (conn, now):
        waiting = unabsorbed(db, conn, claim.request.id)
        goes_on = false() if may_stop(claim.request, waiting, now) else true()
        at = requests.c.scheduled_at
        its_time = or_(at.is_(None), at <= now)
        approved = requests.c.state == State.APPROVED.value
        in_time = requests.c.execute_by > now
        return write_row(conn, claim, step, now, goes_on, approved, in_time, its_time)


def save_unless_an_event_waits(db: Database, claim: Claim, step: Absorbed) -> tuple[Claim, bool]:
    """As `write_row`, and SaveRefused also while any event of the request is not absorbed."""
    mine, new = inbox.c.request_id == claim.request.id, inbox.c.absorbed_at.is_(None)
    with _row_locked(db, claim) as (conn, now):
        return write_row(conn, claim, step, now, ~exists().where(mine, new))


@contextmanager
def _row_locked(db: Database, claim: Claim) -> Iterator[tuple[Connection, int]]:
    """Lock the row first and ask the inbox afterwards: an UPDATE that has to wait for the row sees
    the inbox as it was before the wait, without a Withdraw that was stored meanwhile. As long as it
    is locked no event of the request is stored. On SQLite the transaction has the whole file."""
    with db.write() as conn:
        if not db.one_writer:
            conn.execute(_LOCKED, {"id": claim.request.id})
        yield conn, db.now(conn)
