"""Whether the database can be worked on now: for `/readyz`, in a sentence when it cannot."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError

from bot.store import audit, shared
from bot.store.database import Database
from bot.store.faults import damaged, fault_of
from bot.store.migrate import may_work

KEY = "readyz"


def problem(db: Database) -> str | None:
    """Writes, since a full disk can be read. Raises SchemaTooNew, and what is no fault of the
    database's."""
    try:
        shared.change(db, KEY, _another)
        with db.read() as conn:
            may_work(conn)
        audit.look_back(db)
        return db.remembered.lost or _lasting(db)
    except SQLAlchemyError as error:
        fault = fault_of(error, db.engine.url)
        if fault is None:
            raise
        return fault.running()


def _another(old: str | None, now: int) -> str:
    """Never the value that is there: that would write nothing, and prove nothing."""
    return str(now) if old != str(now) else f"{now} again"


def _lasting(db: Database) -> str | None:
    """A damaged page is met only by whoever needs it: to be able to write another one says
    nothing."""
    fault = db.outage.lasting()
    if fault is None:
        return None
    found = db.damage()
    if found is None:
        db.outage.mended()
        return None
    return damaged(str(db.engine.url.database), found).running()
