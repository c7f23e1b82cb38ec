"""Requests that hold the other end of a pairing: at another site, perhaps under another id."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import Connection, bindparam, select

from bot.core.ends import same_pairing
from bot.core.request import OPEN, Request, State
from bot.core.snapshot import Snapshot
from bot.store.schema import requests

_ELSEWHERE = (
    select(requests.c.id, requests.c.site, requests.c.body)
    .where(
        requests.c.site != bindparam("site"),
        requests.c.pairing_id.is_not(None),
        requests.c.state.in_(bindparam("states", expanding=True)),
    )
    .order_by(requests.c.created_at.desc())
)


def at_other_ends(
    conn: Connection,
    request: Request,
    states: Iterable[State],
    read: Callable[[str, str], Request | None],
) -> list[Request]:
    """Those in one of these states, newest first. Reads all of other sites in these states: open
    ones are few. `read`: from id and body; None for one that cannot be read."""
    snapshot = request.snapshot
    if snapshot is None:
        return []
    rows = conn.execute(_ELSEWHERE, {"site": request.site, "states": [s.value for s in states]})
    others = (read(row.id, row.body) for row in rows)
    return [o for o in others if o and o.snapshot and same_pairing(o.snapshot, snapshot)]


def holder_of_other_end(conn: Connection, request: Request) -> tuple[str, str] | None:
    """Id and site of the open request that holds the pairing's other end. One whose snapshot cannot
    be read counts as holding it: to miss it could break a pairing whose other end somebody else
    is still deciding on."""
    if request.snapshot is None:
        return None
    for row in conn.execute(_ELSEWHERE, {"site": request.site, "states": sorted(OPEN)}):
        try:
            shown = _Shown.model_validate_json(row.body).snapshot
        except ValidationError:
            return row.id, row.site
        if shown and same_pairing(shown, request.snapshot):
            return row.id, row.site
    return None


class _Shown(BaseModel):
    """Of a stored request what tells its pairing, whatever else another version has stored."""

    model_config = ConfigDict(extra="ignore")

    snapshot: Snapshot | None = None
