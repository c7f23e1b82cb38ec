"""What one step of a request stores, in one transaction: the row, its event, its messages and the
audit trail."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, bindparam, exists, select, update

from bot.request.audit_chain import Entry
from bot.request.messages import Answer, changed_messages
from bot.request.model import Request
from bot.request.pairing import id_key
from bot.store import audit_trail, inbox
from bot.store.one_open_request import pair_key_of
from bot.store.outbox import add_answers, want
from bot.store.queues import Queue, queue_of
from bot.store.schema import requests

UPDATE_HELD = update(requests).where(
    requests.c.id == bindparam("held_id"), requests.c.version == bindparam("held_version")
)
"""Only the holder of the claim writes a row. Built once: it runs with every step."""


class ClaimLost(Exception):
    """Somebody else holds the row now. An outcome in hand goes into the inbox."""


class SaveRefused(Exception):
    """A guard did not hold: an event has to be absorbed first, or it is too late for an intent."""


@dataclass(frozen=True)
class Claim:
    """The right to write one row, for the work of one queue. It holds until `lease_until`, and only
    while the row still has this `version`. `heard`: numbers of events that `request` has absorbed
    already, and that the next save marks as such. Until then they wait in the inbox, so whoever
    claims the row after us absorbs them anew. `over`: the last save has moved the row into another
    queue, which gave it back as well."""

    request: Request
    version: int
    lease_until: int
    queue: Queue
    heard: tuple[int, ...] = ()
    over: bool = False


@dataclass(frozen=True)
class Saving:
    """All that one step stores in one transaction. `absorbed`: the number of its event, 0 for one
    that never went through the inbox. `due_at`: when the next queue has something to do, where the
    step ends the work of this one."""

    request: Request
    absorbed: int = 0
    entries: tuple[Entry, ...] = ()
    answers: tuple[Answer, ...] = ()
    due_at: int | None = None


def held(claim: Claim) -> dict[str, object]:
    """The row as it was when it was last read, for `UPDATE_HELD`."""
    return {"held_id": claim.request.id, "held_version": claim.version}


def row_of(request: Request) -> dict[str, object]:
    return {
        "id": request.id,
        "state": request.state.value,
        "site": request.site,
        "pairing_id": id_key(request.pairing_id),  # compared here alone; the body has it as it came
        "pair_key": pair_key_of(request),
        "requester": request.requester,
        "channel": request.channel,
        "created_at": request.created_at,
        "updated_at": request.updated_at,
        "scheduled_at": request.scheduled_at,
        "execute_by": request.execute_by,
        "body": request.model_dump_json(),
    }


def write_row(
    conn: Connection, claim: Claim, saving: Saving, now: int, *guards: ColumnElement[bool]
) -> tuple[Claim, bool]:
    """The claim as it is now, and whether the poster has something to do. Raises ClaimLost, or
    SaveRefused where the claim holds and one of `guards` does not."""
    request, version = saving.request, claim.version + 1
    over = queue_of(request) is not claim.queue
    columns = {**row_of(request), "version": version}
    if over:
        columns |= {"lease_until": 0, "due_at": saving.due_at}
    statement = UPDATE_HELD.where(*guards) if guards else UPDATE_HELD
    if conn.execute(statement, {**held(claim), **columns}).rowcount != 1:
        mine = requests.c.id == claim.request.id, requests.c.version == claim.version
        raise SaveRefused if conn.execute(select(exists().where(*mine))).scalar() else ClaimLost
    for number in claim.heard:
        inbox.mark_absorbed(conn, number, now)
    posts = write_rest(conn, claim.request, saving, version, now)
    lease_until = 0 if over else claim.lease_until
    return Claim(request, version, lease_until, claim.queue, over=over), posts


def write_rest(
    conn: Connection, before: Request | None, saving: Saving, version: int, now: int
) -> bool:
    """All but the row itself, which has this version now. Whether the poster has something to do.
    The audit trail comes last: every writer locks its head."""
    request = saving.request
    wanted = changed_messages(before, request)
    if saving.absorbed:
        inbox.mark_absorbed(conn, saving.absorbed, now)
    want(conn, request, wanted, version, now)
    add_answers(conn, request.id, saving.answers, now)
    audit_trail.append(conn, request.id, saving.entries)
    return bool(wanted or saving.answers)
