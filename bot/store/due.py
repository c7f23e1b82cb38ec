"""Which row is due next, and when: what every waiting thread asks at every wake."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    bindparam,
    case,
    exists,
    func,
    select,
    union,
)

from bot.core.request import State
from bot.store.schema import inbox, requests

ACT_ORDER = (State.APPROVED, State.DELETING, State.FOLLOWING, State.PENDING)
"""Who goes first: acting before following, following before clicks on the undecided."""


def _urgency() -> ColumnElement[int]:
    order = {state.value: place for place, state in enumerate(ACT_ORDER)}
    return case(order, value=requests.c.state, else_=len(order))


# Built once each: to build such a statement takes longer than SQLite does to run it, and these are
# asked at every wake.
@cache
def claimable(checking: bool, some_left_out: bool) -> Select[tuple[str, int, str]]:
    now = bindparam("now", type_=BigInteger)
    with_event = select(inbox.c.request_id).where(inbox.c.absorbed_at.is_(None))
    due = select(requests.c.id).where(requests.c.due_at <= now)
    return (
        select(requests.c.id, requests.c.version, requests.c.body)
        .where(
            requests.c.id.in_(union(due, with_event)),
            requests.c.lease_until <= now,
            *_in_lane(checking, some_left_out),
        )
        .order_by(_urgency(), requests.c.due_at, requests.c.created_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


@cache
def unborn() -> Select[Any]:
    has_row = exists().where(requests.c.id == inbox.c.request_id)
    return (
        select(inbox)
        .where(inbox.c.absorbed_at.is_(None), ~has_row)
        # `+ 0`: for the bare number SQLite would walk the whole table in its order, and not the
        # small index of what is unabsorbed (measured with 300,000 events: 36 ms against 0.02).
        .order_by(inbox.c.number + 0)
        .limit(1)
    )


@cache
def next_due(checking: bool, some_left_out: bool) -> Select[Any]:
    # Not null is what the index says of itself: SQLite uses it only where the question says so too
    # (sqlite.org, partial indexes; measured with 100,000 ended requests: 120 ms against 0.01).
    due = requests.c.due_at.isnot(None)
    return select(func.min(requests.c.due_at)).where(due, *_in_lane(checking, some_left_out))


def _in_lane(checking: bool, some_left_out: bool) -> list[ColumnElement[bool]]:
    new = requests.c.state == State.CHECKING.value
    where = [new if checking else ~new]
    if some_left_out:
        where.append(requests.c.site.not_in(bindparam("without", expanding=True)))
    return where


def left_out(without: Collection[str]) -> dict[str, list[str]]:
    return {"without": sorted(without)} if without else {}
