"""Requests that hold the other end of a pairing: at another site, perhaps under another id."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlalchemy import Connection, bindparam, select

from bot.core.ends import same_pairing
from bot.core.request import Request, State
from bot.store.schema import requests

_ELSEWHERE = (
    select(requests.c.id, requests.c.body)
    .where(
        requests.c.site != bindparam("site"),
        requests.c.pairing_id.is_not(None),
        requests.c.state.in_(bindparam("states", expanding=True)),
    )
    .order_by(requests.c.created_at.desc())
)


def _strictly(_request_id: str, body: str) -> Request | None:
    return Request.model_validate_json(body)


def at_other_ends(
    conn: Connection,
    request: Request,
    states: Iterable[State],
    read: Callable[[str, str], Request | None] = _strictly,
) -> list[Request]:
    """Those in one of these states, newest first. Reads all of other sites in these states: open
    ones are few. `read`: from id and body; where it is left out, one that cannot be read raises,
    since that may be the one which holds this pairing."""
    snapshot = request.snapshot
    if snapshot is None:
        return []
    rows = conn.execute(_ELSEWHERE, {"site": request.site, "states": [s.value for s in states]})
    others = (read(row.id, row.body) for row in rows)
    return [o for o in others if o and o.snapshot and same_pairing(o.snapshot, snapshot)]
