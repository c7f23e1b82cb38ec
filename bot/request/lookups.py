"""What people look at without asking for anything: pairings, a preview, where requests stand.

Nothing of it is stored, and nothing waits for it: a look-up that is refused can be typed again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from bot.request.events import CallFailed, PairingRead, PairingUnresolved
from bot.request.frozen import Frozen
from bot.request.model import Request
from bot.request.pairing import Pairing
from bot.request.snapshot import Snapshot
from bot.request.who_may import Reason


class ListedPairing(Frozen):
    """`replications` is None when they were not counted. `uncounted`: they should have been."""

    pairing: Pairing
    replications: int | None = None
    uncounted: bool = False


class PairingsListed(Frozen):
    """All pairings of one appliance. `partial` holds its own words for what is missing."""

    site: str
    pairings: tuple[ListedPairing, ...]
    partial: tuple[str, ...] = ()
    read_at: int


class SiteUnread(Frozen):
    """One appliance whose pairings could not be listed."""

    site: str
    failed: CallFailed


class MayNotLook(Frozen):
    """Whoever asks does not belong to this workspace, or Slack did not say so."""

    reason: Reason


class LookFailed(Frozen):
    """An error of ours; it stands in the log under this reference."""

    reference: str


PreviewRead = PairingRead | PairingUnresolved | CallFailed | MayNotLook | LookFailed
SitesRead = tuple[PairingsListed | SiteUnread, ...] | MayNotLook | LookFailed

Found = TypeVar("Found")


class ReadingPort(Protocol):
    """One appliance, as far as people look at it. `by` as in `bot.request.ports`."""

    def find_and_read(self, asked: str, by: float) -> PairingRead | PairingUnresolved | CallFailed:
        """The pairing that somebody typed, as it is now."""
        ...

    def list_pairings(
        self, by: float, *, count_at_most: int
    ) -> tuple[tuple[ListedPairing, ...], tuple[str, ...]] | CallFailed:
        """All pairings, and what is missing in the appliance's own words. The replications of
        each are counted where there are no more than `count_at_most` of them and the budget of
        calls has room."""
        ...


class LookupsPort(Protocol):
    """Reads in threads of its own; `then` is called there, once, and once more with a LookFailed
    where it raised. Never waits, never raises."""

    def has_room(self) -> bool:
        """Whether one more would be taken now."""
        ...

    def submit(self, look: Callable[[], None]) -> bool:
        """Any other look that needs no appliance. `look` checks by itself who may look. False as
        below."""
        ...

    def stored(
        self,
        by: str,
        read: Callable[[], Found],
        then: Callable[[Found | MayNotLook | LookFailed], None],
    ) -> bool:
        """What `read` finds in the store, for `by`, a Slack user. It is read only for somebody who
        may look, and never waits behind an appliance. False as below."""
        ...

    def preview(self, site: str, asked: str, by: str, then: Callable[[PreviewRead], None]) -> bool:
        """Look for `by`, a Slack user, at this site, or at all of them for ANY_SITE. False: too
        many wait already, and nothing is done."""
        ...

    def pairings(
        self,
        sites: Sequence[str],
        by: str,
        then: Callable[[SitesRead], None],
        *,
        counted: bool = False,
        fresh_s: float = 0,
    ) -> bool:
        """All pairings of these sites, likewise; `counted` with their replications. A list that
        is not older than `fresh_s` is given again without a call."""
        ...

    def known(self, site: str, *, within_s: float) -> PairingsListed | None:
        """The latest list of this site in memory, unless it is older than that."""
        ...


class OverviewPort(Protocol):
    """What `status`, `list` and `preview` say of requests. Reading only."""

    def get(self, request_id: str) -> Request | None: ...

    def unfinished(self) -> Sequence[Request]:
        """All that have not ended, oldest first."""
        ...

    def ended(self, limit: int) -> Sequence[Request]:
        """Those that ended, the latest end first."""
        ...

    def asked_by(self, person: str, limit: int) -> Sequence[Request]:
        """What this person asked for, the newest first."""
        ...

    def unclear(self, snapshot: Snapshot) -> Request | None:
        """The latest request of this pairing whose fate is not known, whatever its site is called
        now."""
        ...
