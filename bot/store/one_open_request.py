"""What refuses a second open request for the same pairing: two unique indexes over the open states
(`migrations/versions`), by site and pairing, and by what both ends of a pairing have in common.
They alone tell two copies apart that check the same pairing at the same moment."""

from __future__ import annotations

from sqlalchemy import select

from bot.request.model import OPEN, Request
from bot.request.pairing import id_key, pair_key
from bot.store.database import Database
from bot.store.schema import requests


class PairingTakenBy(Exception):
    """Another open request holds the pairing. `site` is given when that is at another site, where
    it holds the other end of the same pairing."""

    def __init__(self, other: str, site: str | None = None) -> None:
        super().__init__(other)
        self.other = other
        self.site = site


def pair_key_of(request: Request) -> str | None:
    """The same for both ends of a pairing; None for a request that holds none, and where there is
    one appliance: it has one end of each, and two ids of it are two pairings."""
    if request.pairing_id is None or request.snapshot is None or not request.terms.several:
        return None
    return pair_key(request.snapshot)


def taken_by(db: Database, request: Request) -> PairingTakenBy:
    """Whom the indexes have met; it may have ended since."""
    here = requests.c.site == request.site
    same = (here & (requests.c.pairing_id == id_key(request.pairing_id))) | (
        requests.c.pair_key == pair_key_of(request)
    )
    others = requests.c.state.in_(sorted(OPEN)), requests.c.id != request.id
    with db.read() as conn:
        held = conn.execute(
            select(requests.c.id, requests.c.site).where(same, *others).limit(1)
        ).one_or_none()
    if held is None:
        return PairingTakenBy("another request")
    return PairingTakenBy(held.id, held.site if held.site != request.site else None)
