"""Requests of the same pairing: at its other end, or under a name that its site had before."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, select

from bot.request.ends import same_pairing
from bot.request.model import OPEN, Request, State
from bot.request.snapshot import Snapshot
from bot.store.schema import requests

_IN_STATES = (
    select(requests.c.body)
    .where(
        requests.c.pairing_id.is_not(None),
        requests.c.state.in_(bindparam("states", expanding=True)),
    )
    .order_by(requests.c.created_at.desc(), requests.c.id.desc())
)


def of_same_pairing(conn: Connection, snapshot: Snapshot, states: Iterable[State]) -> list[Request]:
    """Those in one of these states, newest first. Told by the ids of the pairing and of its two
    vCenters and never by the site, whose name in the settings may change. Reads all in these
    states: open and unclear ones are few."""
    rows = conn.execute(_IN_STATES, {"states": [state.value for state in states]})
    found = (Request.model_validate_json(row.body) for row in rows)
    return [each for each in found if each.snapshot and same_pairing(each.snapshot, snapshot)]


def holder_of_other_end(conn: Connection, request: Request) -> tuple[str, str] | None:
    """Id and site of the open request that holds the pairing's other end."""
    if request.snapshot is None:
        return None
    held = of_same_pairing(conn, request.snapshot, OPEN)
    return next(((each.id, each.site) for each in held if each.site != request.site), None)
