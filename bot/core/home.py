"""What the home of the bot in Slack shows one person: sorted here, drawn by the adapter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from bot.core.frozen import Frozen
from bot.core.lookups import MayNotLook
from bot.core.request import UNDECIDED, Request, State

RUNNING = frozenset({State.APPROVED, State.DELETING, State.FOLLOWING})


class Home(Frozen):
    """Each request stands in the first of these lists that it fits. `rights_unread`: Slack did not
    tell whether this person may decide, so nothing can be said of what waits for them."""

    waiting: tuple[Request, ...] = ()
    asked: tuple[Request, ...] = ()
    running: tuple[Request, ...] = ()
    others: tuple[Request, ...] = ()
    ended: tuple[Request, ...] = ()
    rights_unread: bool = False


HomeRead = Home | MayNotLook


class HomesPort(Protocol):
    """Reads one person's home. It waits for Slack and the store: not for a listener's thread."""

    def read(self, person: str) -> HomeRead: ...

    def now(self) -> int:
        """ms, for when it was read."""
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
    """`may_decide`: is one of APPROVERS. What too few people could approve waits for those who may
    break the glass instead. `asked`: what this person asked lately, `ended`: the latest ends of
    all. What waits for somebody is the oldest first, since its time runs out first; the rest is the
    newest first."""
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
