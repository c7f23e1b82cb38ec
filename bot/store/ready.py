"""Whether the database is usable now, for `/readyz`; a sentence when it is not."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError

from bot.store import shared
from bot.store.database import Database
from bot.store.faults import damaged, fault_of, log_gone
from bot.store.migrate import may_work

KEY = "readyz"


def problem(db: Database) -> str | None:
    """Tries to write as well, since a full disk can still be read. Raises SchemaTooNew, and errors
    that are not faults of the database."""
    try:
        if db.log_gone():
            return log_gone(db.engine.url).running()
        shared.change(db, KEY, _another)
        with db.read() as conn:
            may_work(conn)
        return _lasting(db)
    except SQLAlchemyError as error:
        fault = fault_of(error, db.engine.url)
        if fault is None:
            raise
        return fault.running()


def _another(old: str | None, now: int) -> str:
    """Always another value than the stored one: to store the same would write nothing, and so prove
    nothing."""
    return str(now) if old != str(now) else f"{now} again"


def _lasting(db: Database) -> str | None:
    """A lasting fault that is still there. Only a transaction that needs a damaged page notices it,
    so a write elsewhere that works says nothing: the whole database is checked."""
    fault = db.outage.lasting()
    if fault is None:
        return None
    found = db.damage()
    if found is None:
        db.outage.mended()
        return None
    return damaged(str(db.engine.url.database), found).running()
