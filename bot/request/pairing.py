"""A pairing as the appliances tell it, which one people mean by what they type, and whether two
readings show the same one.

The vendor's OpenAPI calls `pairing_id` "the unique identifier of the pairing" and does not say
whether both ends use the same one. So two readings are taken for one pairing when their ids are
equal or when they join the same two vCenters, whichever of them each calls the local one. If two
pairings are taken for one by mistake, a request is refused and told of the other. If one is taken
for two, it could be broken while somebody is still deciding on its other end.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Hashable, Iterable, Sequence
from typing import Literal

from bot.request import Frozen

REPLICATIONS_KEPT = 200
"""Replications kept with their names, so that it can be said which came and which went. The ids of
all go into a digest: a row with thousands would otherwise be rewritten at each step of its life."""

NAME_KEPT = 100

ISSUES_KEPT = 5


Presence = Literal["there", "gone", "unlisted"]
"""What an appliance says of a pairing. `gone`: its id is answered 404, and the list of pairings
that is read after that does not have it. `unlisted`: the same, but the list is not whole by its own
word, so what is missing from it may still be there: only 404s that go on prove it then. One 404
alone proves nothing: a gateway answers so too, while the service behind it starts."""


def same_id(one: str | None, other: str | None) -> bool:
    """Whether two ids of the appliance name the same thing."""
    return id_key(one) == id_key(other)


def id_key(vendor_id: str | None) -> str | None:
    """What an id of the appliance is compared by: without case, since one answer may write it in
    capitals and the next one small. What goes back to the appliance is always the id as it came."""
    return None if vendor_id is None else vendor_id.strip().casefold()


class Server(Frozen):
    """A vCenter or a replication server of the pairing; the appliance requires no field."""

    id: str | None = None
    name: str | None = None
    status: str | None = None
    version: str | None = None

    @property
    def title(self) -> str:
        return self.name or self.id or "unnamed"


class IssueLine(Frozen):
    """One open issue as the appliance tells it."""

    entity: str | None = None
    description: str | None = None
    status: str | None = None


class Replication(Frozen):
    """One replicated virtual machine; `name` is its id where the appliance tells none."""

    id: str
    name: str


class Snapshot(Frozen):
    """One reading. `partial` says what is missing from it. `replications_digest` is over the listed
    replications, and None if the appliance itself calls that list partial. A list that is only
    shorter than the count (not `complete`) may have changed while it was read. `replications` are
    the first of them by name."""

    pairing_id: str
    local_vc: Server
    remote_vc: Server
    local_vrms: Server
    remote_vrms: Server
    count: int
    complete: bool
    replications_digest: str | None
    replications: tuple[Replication, ...] = ()
    protected: int = 0
    issues: tuple[IssueLine, ...] = ()
    issue_count: int = 0
    partial: tuple[str, ...] = ()
    appliance_version: str | None = None
    read_at: int

    @property
    def title(self) -> str:
        """A pairing has no name: it is named by its two sites."""
        return f"{self.local_vc.title} → {self.remote_vc.title}"

    @property
    def all_named(self) -> bool:
        """Whether `replications` are all there are, so that one that is missing here is gone."""
        return self.complete and len(self.replications) == self.count

    @property
    def remote_down(self) -> bool:
        """Whether the remote site is unreachable (rule 3), which can justify a one-sided break."""
        return self.remote_vrms.status == "ERROR" or self.replications_digest is None


def digest_of(replication_ids: Iterable[str]) -> str:
    """The same for the same set of ids, whatever their order and case."""
    keys = sorted(id_key(each) or "" for each in replication_ids)
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()


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
