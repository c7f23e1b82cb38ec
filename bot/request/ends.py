"""One pairing as the appliances at its two ends see it.

The vendor's OpenAPI calls `pairing_id` "the unique identifier of the pairing" and does not say
whether both ends use the same one. So two readings are taken for one pairing when their ids are
equal or when they join the same two vCenters, whichever of them each calls the local one. If two
pairings are taken for one by mistake, a request is refused and told of the other. If one is taken
for two, it could be broken while somebody is still deciding on its other end.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from bot.request.lookups import PairingsListed
from bot.request.pairing import Pairing
from bot.request.snapshot import Snapshot, id_key


def same_pairing(one: Pairing | Snapshot, other: Pairing | Snapshot) -> bool:
    """Whether these two, read at different appliances, are the same pairing."""
    return not frozenset(keys_of(one)).isdisjoint(keys_of(other))


def _id(pairing: Pairing | Snapshot) -> str | None:
    return id_key(pairing.id if isinstance(pairing, Pairing) else pairing.pairing_id)


def _joined(pairing: Pairing | Snapshot) -> frozenset[str] | None:
    """The two vCenters; None where one is not told, or where a site is paired with itself."""
    local, remote = id_key(pairing.local_vc.id), id_key(pairing.remote_vc.id)
    return frozenset((local, remote)) if local and remote and local != remote else None


def keys_of(pairing: Pairing | Snapshot) -> tuple[Hashable, ...]:
    """Two readings that share one of these are the same pairing; for finding among many."""
    joined = _joined(pairing)
    return (_id(pairing),) if joined is None else (_id(pairing), joined)


def other_ends(listed: Sequence[PairingsListed]) -> dict[tuple[str, str], tuple[str, ...]]:
    """By site and pairing id, the other sites among these that list the same pairing."""
    at: dict[Hashable, dict[str, None]] = {}
    for each in listed:
        for item in each.pairings:
            for key in keys_of(item.pairing):
                at.setdefault(key, {})[each.site] = None
    return {
        (each.site, item.pairing.id): others
        for each in listed
        for item in each.pairings
        if (others := _others(each.site, at, item.pairing))
    }


def _others(
    site: str, at: Mapping[Hashable, Mapping[str, None]], pairing: Pairing
) -> tuple[str, ...]:
    found = dict.fromkeys(other for key in keys_of(pairing) for other in at[key])
    return tuple(other for other in found if other != site)
