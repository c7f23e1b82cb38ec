"""What people look at without asking for anything: pairings, a preview, where requests stand.

Nothing of it is stored, and nothing waits for it: a lookup that is refused can be typed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.request import Frozen
from bot.request.events import CallFailed, PairingRead
from bot.request.model import UNDECIDED, Request, State
from bot.request.pairing import Pairing, PairingUnresolved, same_id, same_pairing
from bot.request.who_may import Reason


class ListedPairing(Frozen):
    """`replications` is None when they were not counted. `uncounted`: they should have been."""

    pairing: Pairing
    replications: int | None = None
    uncounted: bool = False


class PairingsListed(Frozen):
    """All pairings of one appliance. `partial` holds its own words for why one may be missing."""

    site: str
    pairings: tuple[ListedPairing, ...]
    partial: tuple[str, ...] = ()
    read_at: int


def holder_of(site: str, pairing: Pairing, opened: Iterable[Request]) -> Request | None:
    """The open request for this pairing, asked at this site or at its other end."""
    at_other_end = None
    for each in opened:
        if each.site == site and each.pairing_id and same_id(each.pairing_id, pairing.id):
            return each
        if each.site != site and each.snapshot and same_pairing(pairing, each.snapshot):
            at_other_end = each
    return at_other_end


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


class LookedTooOften(Frozen):
    """Whoever asks has had an appliance asked so often that they have to wait for so long."""

    seconds: int


Untold = MayNotLook | LookFailed | LookedTooOften

PreviewRead = PairingRead | PairingUnresolved | CallFailed | Untold
SitesRead = tuple[PairingsListed | SiteUnread, ...] | Untold


class Home(Frozen):
    """The Home tab of one person. Each request is in the first of these lists that it fits.
    `rights_unread`: Slack did not say whether this person may decide, so it is not known what waits
    for them."""

    unresolved: tuple[Request, ...] = ()
    waiting: tuple[Request, ...] = ()
    asked: tuple[Request, ...] = ()
    running: tuple[Request, ...] = ()
    others: tuple[Request, ...] = ()
    ended: tuple[Request, ...] = ()
    rights_unread: bool = False


HomeRead = Home | MayNotLook | LookFailed


def sort_home(
    person: str,
    *,
    unfinished: Iterable[Request],
    asked: Iterable[Request],
    ended: Iterable[Request],
    unresolved: Iterable[Request] = (),
    may_decide: bool,
    may_break_glass: bool,
    rights_unread: bool,
) -> Home:
    """`may_decide`: the person is one of APPROVERS. A request that too few people could approve
    waits for those who may break the glass. `asked`: this person's latest requests; `ended`:
    everybody's latest ends; `unresolved`: those that somebody has to look after, whoever asked.
    What waits is sorted by the time that it runs out, the rest newest first."""
    opened, shown = _newest(unfinished), set[str]()

    def first(found: Iterable[Request]) -> tuple[Request, ...]:
        new = {each.id: each for each in found if each.id not in shown}
        shown.update(new)
        return tuple(new.values())

    waiting = [
        r
        for r in opened
        if (may_break_glass if r.glass_alone else may_decide) and _waits_for(person, r)
    ]
    mine = [r for r in opened if r.requester == person]
    return Home(
        unresolved=first(unresolved),
        waiting=first(sorted(waiting, key=lambda r: (r.decide_by or 0, r.created_at))),
        asked=first(_newest([*mine, *asked])),
        running=first(r for r in opened if r.state not in UNDECIDED),
        others=first(opened),
        ended=first(ended),
        rights_unread=rights_unread,
    )


def _waits_for(person: str, request: Request) -> bool:
    return (
        request.state is State.PENDING
        and request.requester != person
        and all(approval.by != person for approval in request.approvals)
    )


def _newest(found: Iterable[Request]) -> tuple[Request, ...]:
    return tuple(sorted(found, key=lambda r: (r.created_at, r.id), reverse=True))


class Figures(Frozen):
    """`by_state`: how many requests are in each state. `oldest_ms`: for how long the oldest has
    been in each unfinished state. `waiting`: messages that Slack does not show yet as they should
    be, by kind of slot; `unposted_ms`: the age of the oldest of them that was never posted.
    `shared`: what the copies share, by key. `glass_broken`: how often the glass was ever broken.
    `scheduled`: how many of those that are approved wait for the time that was asked for."""

    at: int
    by_state: Mapping[str, int]
    oldest_ms: Mapping[str, int]
    waiting: Mapping[str, int]
    unposted_ms: Mapping[str, int]
    shared: Mapping[str, str]
    glass_broken: int
    scheduled: int = 0
