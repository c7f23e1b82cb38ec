"""Tell whoever waits for a step that it failed by an error of ours.

The row keeps its lease and is tried again after that, for ever. Unless people are told, a request
that meets such an error stands still in silence.
"""

from __future__ import annotations

import structlog
from sqlalchemy.exc import IntegrityError

from bot.request.messages import UNEXPECTED, Answer
from bot.store import inbox
from bot.store.claims import Claims
from bot.store.database import Database
from bot.store.wakes import Room
from bot.store.wanted import add_answers

log = structlog.get_logger(__name__)


def tell_failed(requests: Claims, request_id: str, reference: str) -> None:
    """Tell who asked, and everybody whose click has not been answered; once for each event, however
    often the step fails. Never raises: it is called while an error is handled."""
    params = {"reference": reference, "request": request_id}
    try:
        for number in sorted(_waiting(requests, request_id)):
            answer = Answer(event=number, code=UNEXPECTED, params=params, matters=True)
            _answer(requests.db, request_id, answer)
    except Exception:
        log.exception("step_failure_not_told", request=request_id, reference=reference)
    requests.db.wakes.wake(Room.POST)


def _waiting(requests: Claims, request_id: str) -> set[int]:
    """Numbers of events in the inbox."""
    with requests.db.read() as conn:
        waiting = {stored.number for stored in inbox.unabsorbed(conn, request_id)}
    request = requests.get(request_id)
    if request is not None:
        waiting |= {request.asked_by_event, *(click.event for click in request.clicks)}
    return waiting


def _answer(db: Database, request_id: str, answer: Answer) -> None:
    try:
        with db.write() as conn:
            add_answers(conn, request_id, (answer,), db.now(conn))
    except IntegrityError:
        return  # told before, when an earlier try failed
