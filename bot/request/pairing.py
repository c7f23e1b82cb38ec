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
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from functools import cached_property
from typing import Literal

from bot.request import Frozen

REPLICATIONS_KEPT = 1_000
"""Replications kept with their names, so that approvers can read them all, and that it can be said
which came and which went. The ids of all go into a digest: a row with many thousands would
otherwise be rewritten at each step of its life."""

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

    @cached_property
    def title(self) -> str:
        return self.name or self.id or "unnamed"


class IssueLine(Frozen):
    """One open issue as the appliance tells it."""

    entity: str | None = None
    description: str | None = None
    status: str | None = None


class Replication(Frozen):
    """One replicated virtual machine; `name` is its id where the appliance tells none. `protected`:
    by a recovery plan of Site Recovery Manager; None where that cannot be read."""

    id: str
    name: str
    protected: bool | None = False


class Pairing(Frozen):
    """One pairing of the appliance. It has no name of its own (vendor OpenAPI, Pairing): it is
    named by its two sites."""

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


class Snapshot(Pairing):
    """A pairing as one reading found it. `partial` says what is missing. `replications_digest` is
    over the listed replications, and None if the appliance itself calls that list partial. A list
    that is only shorter than the count (not `complete`) may have changed while it was read.
    `replications` are the first of them: those that are protected, then by name. `protected_digest`
    is over all that are."""

    count: int
    complete: bool
    replications_digest: str | None
    replications: tuple[Replication, ...] = ()
    protected: int = 0
    protected_digest: str | None = None
    issues: tuple[IssueLine, ...] = ()
    issue_count: int = 0
    partial: tuple[str, ...] = ()
    read_at: int

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


SHORT_ID = 8
"""Characters of an id that the form shows, and that name the pairing too."""

NEAR_MOST = 5


class Near(Frozen):
    """A pairing that may have been meant. `site` where several appliances were asked."""

    pairing_id: str
    title: str
    site: str | None = None


class PairingUnresolved(Frozen):
    """What was asked for is not one pairing: none, several, or a site paired with itself.

    `near` are those that nobody has named and that may have been meant. Nobody can tell when some
    of several appliances are `unread` (their names) or a list is `partial`. `no_site`: the
    appliance is not in the settings any more. `taken`: another open request, the first of the
    `candidates`, holds it, or its other end at the site that is the second.
    """

    kind: Literal["pairing_unresolved"] = "pairing_unresolved"
    why: Literal["none", "several", "self", "partial", "unread", "no_site", "taken"]
    candidates: tuple[str, ...] = ()
    near: tuple[Near, ...] = ()
    unread: tuple[str, ...] = ()


def looks_like_id(text: str) -> bool:
    return bool(_UUID.match(text.strip()))


def find(
    text: str, pairings: Sequence[Pairing], *, whole: bool = True, label: str | None = None
) -> Pairing | PairingUnresolved:
    """By its id, or by a name that only one pairing has: the whole name of a server, that name's
    first label, the beginning of the id as lists show it, `A → B`, or the `label` that the settings
    give the appliance. A part of a name is none: somebody who asks colleagues a question after the
    command must not ask to break what one of its words happens to be part of.

    A self-pairing is found only so that it can be refused by name; it never makes a name ambiguous.
    In a list that is not `whole` a name finds nothing: a missing pairing may fit as well, and the
    approvers might be shown one that nobody meant.
    """
    wanted = text.strip().casefold()
    by_id = [p for p in pairings if same_id(p.id, wanted)]
    if by_id:
        return _one(by_id)
    named = [] if looks_like_id(wanted) else _by_name(wanted, pairings, (label or "").casefold())
    certain = whole or looks_like_id(wanted) or not wanted
    if named and (certain or len(named) > 1):
        return _one(named)
    listed = _titles(p for p in named if not p.of_itself)
    return PairingUnresolved(
        why="none" if certain else "partial", candidates=listed, near=_near(text, pairings)
    )


def nearest(text: str, among: Iterable[Near]) -> tuple[Near, ...]:
    """The likeliest first."""
    wanted = text.strip().casefold()

    def unlikeness(near: Near) -> tuple[bool, float, str]:
        names = f"{near.title} {near.pairing_id} {near.site or ''}".casefold()
        likest = max(SequenceMatcher(None, wanted, name).ratio() for name in names.split())
        return wanted not in names, -likest, names

    return tuple(sorted(among, key=unlikeness)[:NEAR_MOST])


def _near(text: str, pairings: Sequence[Pairing]) -> tuple[Near, ...]:
    others = (p for p in pairings if not p.of_itself)
    return nearest(text, (Near(pairing_id=p.id, title=p.title) for p in others))


def _by_name(wanted: str, pairings: Sequence[Pairing], label: str) -> list[Pairing]:
    others = [p for p in pairings if not p.of_itself]
    left, arrow, right = wanted.replace("->", "→").partition("→")
    if arrow:
        here, there = left.strip(), right.strip()
        return [
            p
            for p in others
            if here in (*_names(p.local_vc), p.local_vc.title.casefold())
            and there in (*_names(p.remote_vc), p.remote_vc.title.casefold())
        ]
    whole = [p for p in others if any(wanted in _names(s)[:1] for s in _servers(p))]
    short = [
        p
        for p in others
        if wanted in (p.id[:SHORT_ID].casefold(), label)
        or any(wanted in _names(s) for s in _servers(p))
    ]
    itself = [p for p in pairings if p.of_itself and any(wanted in _names(s) for s in _servers(p))]
    return (whole or short or itself) if wanted else []


def _one(hits: list[Pairing]) -> Pairing | PairingUnresolved:
    if len(hits) > 1:
        return PairingUnresolved(why="several", candidates=_titles(hits))
    if hits[0].of_itself:
        return PairingUnresolved(why="self", candidates=_titles(hits))
    return hits[0]


def _titles(pairings: Iterable[Pairing]) -> tuple[str, ...]:
    return tuple(f"{p.title} ({p.id})" for p in pairings)


def _servers(pairing: Pairing) -> tuple[Server, ...]:
    return pairing.remote_vc, pairing.local_vc, pairing.remote_vrms, pairing.local_vrms


def _names(server: Server) -> list[str]:
    """Its whole name, and the first label of that. An address has no labels: `10` is none."""
    name = (server.name or "").casefold()
    label = name.partition(".")[0]
    return [each for each in (name, "" if label.isdecimal() else label) if each]


def same_pairing(one: Pairing, other: Pairing) -> bool:
    """Whether these two, read at different appliances, are the same pairing."""
    return bool(same_keys(one) & same_keys(other))


def same_keys(found: Pairing) -> frozenset[str]:
    """Two that share one of these are the same pairing: its id, and its two vCenters in order."""
    return frozenset(filter(None, (id_key(found.id), pair_key(found))))


def pair_key(found: Pairing) -> str | None:
    """One text for both ends of a pairing: its two vCenters in order, else its id."""
    joined = _joined(found)
    return " ".join(sorted(joined)) if joined else id_key(found.id)


def _joined(pairing: Pairing) -> frozenset[str] | None:
    """The two vCenters; None where one is not told, or where a site is paired with itself."""
    local, remote = id_key(pairing.local_vc.id), id_key(pairing.remote_vc.id)
    return frozenset((local, remote)) if local and remote and local != remote else None
