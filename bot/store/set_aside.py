"""What a hand has broken: a row whose JSON is no request, or no event, any more.

It is named once in the log and left alone, so that everything else goes on. A request stays as it
is, and is tried again when its lease is over: it goes on once somebody has mended it. None of its
events is passed over, since one may be a Withdraw.
"""

from __future__ import annotations

import structlog
from pydantic import ValidationError

from bot.request.events import EVENT, Event
from bot.request.model import Request
from bot.store.database import Database

log = structlog.get_logger(__name__)


class Unreadable(Exception):
    """An event of a request cannot be read; the log has named it."""


def request_in(db: Database, request_id: str, body: str) -> Request | None:
    """None where it cannot be read."""
    try:
        return Request.model_validate_json(body)
    except ValidationError as error:
        _name(db, f"request {request_id}", error)
        return None


def event_in(db: Database, number: int, body: str) -> Event | None:
    """The same for an event."""
    try:
        return EVENT.validate_json(body)
    except ValidationError as error:
        _name(db, f"event {number}", error)
        return None


def _name(db: Database, what: str, error: ValidationError) -> None:
    if what not in db.named_unreadable:
        db.named_unreadable.add(what)
        # Where and of which kind, and never what stands there: it may be an address.
        wrong = [f"{'.'.join(map(str, e['loc']))}: {e['type']}" for e in error.errors()[:3]]
        log.error("row_unreadable", row=what, wrong=wrong)
