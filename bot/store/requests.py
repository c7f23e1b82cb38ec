"""The rows of requests, for whoever reads them. `claims` writes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Row, func, select

from bot.request.model import Request, State
from bot.store.database import Database
from bot.store.other_ends import of_same_pairing
from bot.store.schema import requests


@dataclass
class Requests:
    """Implements `bot.request.delivery.RequestsPort`."""

    db: Database

    def now(self) -> int:
        return self.db.clock()

    def get(self, request_id: str) -> Request | None:
        with self.db.read() as conn:
            body = conn.execute(
                select(requests.c.body).where(requests.c.id == request_id)
            ).scalar_one_or_none()
        return Request.model_validate_json(body) if body else None

    def newest(self, state: State | None = None, limit: int | None = None) -> list[Request]:
        query = select(requests.c.body).order_by(requests.c.created_at.desc(), requests.c.id.desc())
        if state:
            query = query.where(requests.c.state == state.value)
        with self.db.read() as conn:
            return _read(conn.execute(query.limit(limit)))

    def same_pairing(self, request: Request, states: Sequence[State]) -> list[Request]:
        """Other requests of the same pairing in one of these states, newest first, whatever its
        site is called and at whichever of its ends they were made."""
        if request.snapshot is None:
            return []
        with self.db.read() as conn:
            found = of_same_pairing(conn, request.snapshot, states)
        return [each for each in found if each.id != request.id]

    def followed(self, site: str) -> int:
        """How many tasks are followed at this site, by all copies of the bot."""
        following = requests.c.state == State.FOLLOWING.value
        query = select(func.count()).select_from(requests)
        with self.db.read() as conn:
            return conn.execute(query.where(following, requests.c.site == site)).scalar_one()


def _read(rows: Iterable[Row[tuple[str]]]) -> list[Request]:
    return [Request.model_validate_json(row.body) for row in rows]
