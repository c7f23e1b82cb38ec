"""What the appliance said about one pairing at one moment: what an approver is shown."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal

from bot.request.frozen import Frozen

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
