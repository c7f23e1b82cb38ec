"""What one step of a request stores, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from bot.request.entries import Answer, Entry
from bot.request.model import Request
from bot.request.snapshot import id_key
from bot.store import audit, inbox
from bot.store.wanted import Wanted, add_answers, want


@dataclass(frozen=True)
class Saving:
    """All that one step stores in one transaction. `absorbed`: the number of its event, 0 for one
    that never went through the inbox. `wanted` is what looks other than before. `due_at`: when the
    next lane has something to do, where the step ends the work of this one."""

    request: Request
    absorbed: int = 0
    entries: tuple[Entry, ...] = ()
    answers: tuple[Answer, ...] = ()
    wanted: tuple[Wanted, ...] = ()
    due_at: int | None = None


OnSaved = Callable[[Request | None, Sequence[Entry]], None]
"""The request as it is now, where there is one, and what the audit trail says of the step."""


def row_of(request: Request) -> dict[str, object]:
    return {
        "id": request.id,
        "state": request.state.value,
        "site": request.site,
        "pairing_id": id_key(request.pairing_id),  # compared here alone; the body has it as it came
        "requester": request.requester,
        "channel": request.channel,
        "created_at": request.created_at,
        "updated_at": request.updated_at,
        "execute_by": request.execute_by,
        "body": request.model_dump_json(),
    }


def store_rest(conn: Connection, saving: Saving, now: int) -> None:
    """All but the row itself. The audit trail comes last: every writer locks its head."""
    request = saving.request
    if saving.absorbed:
        inbox.mark_absorbed(conn, saving.absorbed, now)
    want(conn, request, saving.wanted, now)
    add_answers(conn, request.id, saving.answers, now)
    audit.append(conn, request.id, saving.entries)
