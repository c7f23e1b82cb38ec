"""What people type for a pairing, and which one that is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from bot.request.frozen import Frozen
from bot.request.snapshot import Server, same_id

_UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.IGNORECASE)


class Pairing(Frozen):
    """One pairing of the appliance's list; it has no name of its own (vendor OpenAPI, Pairing)."""

    id: str
    local_vc: Server = Server()
    remote_vc: Server = Server()
    local_vrms: Server = Server()
    remote_vrms: Server = Server()

    @property
    def title(self) -> str:
        return f"{self.local_vc.title} → {self.remote_vc.title}"

    @property
    def of_itself(self) -> bool:
        """Whether it is a site's pairing with itself. Such a one can be listed and is never
        unpaired."""
        return self.local_vc.id is not None and same_id(self.local_vc.id, self.remote_vc.id)


class Hit(Frozen):
    """One pairing found, or why not, with those that would have fitted."""

    pairing: Pairing | None = None
    why: Literal["none", "several", "self", "partial"] | None = None
    candidates: tuple[Pairing, ...] = ()


def looks_like_id(text: str) -> bool:
    return bool(_UUID.match(text.strip()))


def find(text: str, pairings: Sequence[Pairing], *, whole: bool = True) -> Hit:
    """By id; or by a site's name where only one pairing fits: the whole name before a part of it.

    A self-pairing is found only so that it can be refused by name; it never makes a name ambiguous.
    In a list that is not `whole` a name finds nothing: a missing pairing may fit as well, and the
    approvers might be shown one that nobody meant.
    """
    wanted = text.strip().casefold()
    by_id = [p for p in pairings if same_id(p.id, wanted)]
    if by_id:
        return _one(by_id)
    if looks_like_id(wanted) or not wanted:
        return Hit(why="none")
    found = _by_name(wanted, pairings)
    if whole or found.why == "several":
        return found
    listed = found.candidates if found.pairing is None else (found.pairing,)
    return Hit(why="partial", candidates=listed)


def _by_name(wanted: str, pairings: Sequence[Pairing]) -> Hit:
    others = [p for p in pairings if not p.of_itself]
    for fits in (_equal, _host, _within):
        hits = [p for p in others if any(fits(wanted, n) for n in _names(p))]
        if hits:
            return _one(hits)
    itself = [p for p in pairings if p.of_itself and any(_within(wanted, n) for n in _names(p))]
    return _one(itself) if itself else Hit(why="none", candidates=tuple(others))


def _one(hits: list[Pairing]) -> Hit:
    if len(hits) > 1:
        return Hit(why="several", candidates=tuple(hits))
    if hits[0].of_itself:
        return Hit(why="self", candidates=tuple(hits))
    return Hit(pairing=hits[0])


def _names(pairing: Pairing) -> list[str]:
    servers = (pairing.remote_vc, pairing.local_vc, pairing.remote_vrms, pairing.local_vrms)
    return [s.name.casefold() for s in servers if s.name]


def _equal(wanted: str, name: str) -> bool:
    return wanted == name


def _host(wanted: str, name: str) -> bool:
    return wanted == name.partition(".")[0]


def _within(wanted: str, name: str) -> bool:
    return wanted in name
