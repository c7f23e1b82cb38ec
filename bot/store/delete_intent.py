"""The intent to send the DELETE: the one transaction that everything depends on.

What sends the DELETE does so only after this commit, and whoever finds the intent stored never
sends again. So everything that could forbid it is asked in the UPDATE itself: the claim (the row's
version), that it is approved, its time, and that nobody's click waits to be absorbed. A Withdraw
that is stored before the intent wins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import ColumnElement, bindparam, exists, or_, select

from bot.request.event_changes import Absorbed
from bot.request.model import State
from bot.store.database import Database
from bot.store.saving import Claim, write_row
from bot.store.schema import inbox, requests

_LOCKED = select(requests.c.version).where(requests.c.id == bindparam("id")).with_for_update()


def save_intent(db: Database, claim: Claim, step: Absorbed) -> tuple[Claim, bool]:
    """Raises SaveRefused or ClaimLost, and then nothing may be sent."""

    def guards(now: int) -> Sequence[ColumnElement[bool]]:
        at = requests.c.scheduled_at
        its_time = or_(at.is_(None), at <= now)
        approved = requests.c.state == State.APPROVED.value
        return approved, requests.c.execute_by > now, its_time

    return save_unless_an_event_waits(db, claim, step, guards)


def save_unless_an_event_waits(
    db: Database,
    claim: Claim,
    step: Absorbed,
    guards: Callable[[int], Sequence[ColumnElement[bool]]] = lambda _now: (),
) -> tuple[Claim, bool]:
    """As `write_row`, and SaveRefused also while an event of the request is not absorbed."""
    mine, new = inbox.c.request_id == claim.request.id, inbox.c.absorbed_at.is_(None)
    with db.write() as conn:
        # Lock the row first and ask the inbox afterwards. An UPDATE that has to wait for the row
        # sees the inbox as it was before the wait, without a Withdraw that was stored meanwhile.
        # On SQLite the transaction has the whole file already.
        if not db.one_writer:
            conn.execute(_LOCKED, {"id": claim.request.id})
        now = db.now(conn)
        return write_row(conn, claim, step, now, ~exists().where(mine, new), *guards(now))
