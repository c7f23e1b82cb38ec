"""Requests that hold the other end of a pairing: at another site, perhaps under another id."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, select

from bot.core.ends import same_pairing
from bot.core.request import OPEN, Request, State
from bot.store.schema import requests

_ELSEWHERE = (
    select(requests.c.body)
    .where(
        requests.c.site != bindparam("site"),
        requests.c.pairing_id.is_not(None),
        requests.c.state.in_(bindparam("states", expanding=True)),
    )
    .order_by(requests.c.created_at.desc())
)


def at_other_ends(conn: Connection, request: Request, states: Iterable[State]) -> list[Request]:
    """Those in one of these states, newest first. Reads all of other sites in these states: open
    ones are few."""
    snapshot = request.snapshot
    if snapshot is None:
        return []
    rows = conn.execute(_ELSEWHERE, {"site": request.site, "states": [s.value for s in states]})
    others = (Request.model_validate_json(row.body) for row in rows)
    return [o for o in others if o.snapshot and same_pairing(o.snapshot, snapshot)]


def holder_of_other_end(conn: Connection, request: Request) -> tuple[str, str] | None:
    """Id and site of the open request that holds the pairing's other end."""
    held = at_other_ends(conn, request, OPEN)
    return (held[0].id, held[0].site) if held else None
