"""The queries for the row that is due next. Every waiting thread asks them at every wake."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Select,
    bindparam,
    exists,
    func,
    or_,
    select,
    union,
)

from bot.request.model import State
from bot.store.lanes import ACTING, Lane, by_state, lane_of_row
from bot.store.schema import inbox, requests

ORDER = (*ACTING, State.PENDING)
"""Which state goes first within a lane. Requests that have ended come last."""

_URGENCY = by_state({state: place for place, state in enumerate(ORDER)}, len(ORDER))

LONGEST_LEASE_MS = 750_000
"""That of a copy with the longest VR_TIMEOUT_SECONDS (`bot.worker.drive`). A lease that is further
away was stamped by a clock that was ahead, and would keep a dead holder's row for as long as that
was: it is over. No tighter, since setting the clock back by seconds must end nobody's lease."""

_NOTHING_CAME = ~exists().where(inbox.c.request_id == requests.c.id, inbox.c.absorbed_at.is_(None))
"""Within a state, rows with an event (such as a click) go first. By its own time such a row may be
due in an hour, and at an appliance that hangs there is always some other row due, since each is
tried again every few seconds."""


# Built once each, since they run at every wake and building one takes longer than SQLite needs to
# run it.
@cache
def claimable(lane: Lane, some_left_out: bool) -> Select[tuple[str, int, str]]:
    now = bindparam("now", type_=BigInteger)
    with_event = select(inbox.c.request_id).where(inbox.c.absorbed_at.is_(None))
    due = select(requests.c.id).where(requests.c.due_at <= now)
    # A row that is held is due at the end of its lease.
    beyond = now + LONGEST_LEASE_MS
    held = select(requests.c.id).where(requests.c.due_at > beyond, requests.c.lease_until > beyond)
    return (
        select(requests.c.id, requests.c.version, requests.c.body)
        .where(
            requests.c.id.in_(union(due, with_event, held)),
            lease_over(requests.c.lease_until, now),
            *_in_lane(lane, some_left_out),
        )
        .order_by(_URGENCY, _NOTHING_CAME, requests.c.due_at, requests.c.created_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


@cache
def first_without_row() -> Select[Any]:
    has_row = exists().where(requests.c.id == inbox.c.request_id)
    return (
        select(inbox)
        .where(inbox.c.absorbed_at.is_(None), ~has_row)
        # `+ 0`: with the bare number SQLite would walk through the whole table in order, instead of
        # using the small index of unabsorbed events (300,000 events: 36 ms instead of 0.02).
        .order_by(inbox.c.number + 0)
        .limit(1)
    )


@cache
def next_due(lane: Lane, some_left_out: bool) -> Select[Any]:
    # The index is a partial one, on "not null". SQLite uses it only if the query has the same words
    # (sqlite.org, partial indexes; 100,000 ended requests: 120 ms instead of 0.01).
    due = requests.c.due_at.isnot(None)
    return select(func.min(requests.c.due_at)).where(due, *_in_lane(lane, some_left_out))


def lease_over(lease_until: Column[int], now: ColumnElement[int]) -> ColumnElement[bool]:
    return or_(lease_until <= now, lease_until > now + LONGEST_LEASE_MS)


def _in_lane(lane: Lane, some_left_out: bool) -> list[ColumnElement[bool]]:
    where = [lane_of_row == lane.value]
    if some_left_out:
        where.append(requests.c.site.not_in(bindparam("without", expanding=True)))
    return where
