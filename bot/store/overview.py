"""Lists of requests for people: what is open, what ended lately, what somebody asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from bot.request.model import OPEN, Request, State
from bot.request.snapshot import Snapshot
from bot.store.database import Database
from bot.store.other_ends import of_same_pairing
from bot.store.requests import Requests
from bot.store.schema import requests

_OPEN = sorted(state.value for state in OPEN)


@dataclass(frozen=True)
class Overview:
    """What `status`, `list`, `preview` and the Home tab say of requests. Reading only."""

    db: Database

    def now(self) -> int:
        """The time in ms, to show when something was read."""
        return self.db.about_now()

    def get(self, request_id: str) -> Request | None:
        return Requests(self.db).get(request_id)

    def unfinished(self) -> Sequence[Request]:
        """All that have not ended, oldest first."""
        return self._read(requests.c.state.in_(_OPEN))[::-1]

    def ended(self, limit: int) -> Sequence[Request]:
        """Those that ended, the latest end first."""
        return self._read(requests.c.state.not_in(_OPEN), limit=limit, latest=True)

    def asked_by(self, person: str, limit: int) -> Sequence[Request]:
        """What this person asked for, the newest first."""
        return self._read(requests.c.requester == person, limit=limit)

    def unclear(self, snapshot: Snapshot) -> Request | None:
        """The latest request of this pairing whose fate is not known, whatever its site is called
        now."""
        with self.db.read() as conn:
            return next(iter(of_same_pairing(conn, snapshot, [State.ATTENTION])), None)

    def _read(
        self, *where: object, limit: int | None = None, latest: bool = False
    ) -> list[Request]:
        order = requests.c.updated_at if latest else requests.c.created_at
        query = select(requests.c.body).where(*where).order_by(order.desc(), requests.c.id.desc())  # type: ignore[arg-type]
        with self.db.read() as conn:
            rows = conn.execute(query.limit(limit))
            return [Request.model_validate_json(row.body) for row in rows]
