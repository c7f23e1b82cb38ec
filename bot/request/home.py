"""What the bot's home tab in Slack shows one person. Sorted here, drawn by the Slack adapter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from bot.request.frozen import Frozen
from bot.request.lookups import MayNotLook
from bot.request.model import UNDECIDED, Request, State

RUNNING = frozenset({State.APPROVED, State.DELETING, State.FOLLOWING})


class Home(Frozen):
    """Each request is in the first of these lists that it fits. `rights_unread`: Slack did not say
    whether this person may decide, so it is not known what waits for them."""

    waiting: tuple[Request, ...] = ()
    asked: tuple[Request, ...] = ()
    running: tuple[Request, ...] = ()
    others: tuple[Request, ...] = ()
    ended: tuple[Request, ...] = ()
    rights_unread: bool = False


HomeRead = Home | MayNotLook


class HomesPort(Protocol):
    """Reads one person's home. Waits for Slack and the store, so no listener may call it."""

    def read(self, person: str) -> HomeRead: ...

    def now(self) -> int:
        """The time in ms, to show when it was read."""
        ...


def sort_home(
    person: str,
    *,
    unfinished: Iterable[Request],
    asked: Iterable[Request],
    ended: Iterable[Request],
    may_decide: bool,
    may_break_glass: bool,
    rights_unread: bool,
) -> Home:
    """`may_decide`: the person is one of APPROVERS. A request that too few people could approve
    waits for those who may break the glass. `asked`: this person's latest requests; `ended`:
    everybody's latest ends. What waits is sorted by the time that it runs out, the rest newest
    first."""
    opened = tuple(unfinished)
    mine = [r for r in opened if r.requester == person]
    waiting = [
        r
        for r in opened
        if (may_break_glass if r.glass_alone else may_decide) and _waits_for(person, r)
    ]
    taken = {r.id for r in (*mine, *waiting)}
    left = [r for r in opened if r.id not in taken]
    own = _newest([*mine, *(r for r in asked if not r.state.open)])
    shown = {r.id for r in own}
    return Home(
        waiting=tuple(sorted(waiting, key=lambda r: r.decide_by or r.created_at)),
        asked=own,
        running=_newest(r for r in left if r.state in RUNNING),
        others=_newest(r for r in left if r.state in UNDECIDED),
        ended=tuple(r for r in ended if r.id not in shown),
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
