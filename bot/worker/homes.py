"""What one person's home shows, read when they open it. Whether they may decide is taken from what
Slack said a moment ago: that is only shown, and rights are read anew at each click."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from bot.request.home import HomeRead, sort_home
from bot.request.lookups import MayNotLook, OverviewPort
from bot.request.policy import Policy
from bot.request.ports import PeoplePort
from bot.request.who_may import Reason
from bot.worker.rights import Reading

ASKED_MOST = 5
ENDED_MOST = 5
READ_SECONDS = 10.0
"""For Slack's word of the person; somebody sits in front of it."""

MAY_LOOK = frozenset({Reason.YES, Reason.NOT_LISTED, Reason.GROUP_UNREADABLE})
"""People of this workspace, whether or not they may decide: they may look."""


@dataclass(frozen=True)
class Homes:
    """Implements `bot.request.home.HomesPort`. `people` may be a moment old (`Recent`)."""

    overview: OverviewPort
    people: PeoplePort
    policy: Policy
    now: Callable[[], int]
    monotonic: Callable[[], float] = time.monotonic

    def read(self, person: str) -> HomeRead:
        """Raises what the database raises."""
        by = self.monotonic() + READ_SECONDS
        reading = Reading(self.people, by, self.monotonic)
        verdict = reading.right_to_decide(person, None, self.policy.approvers)
        if verdict.reason not in MAY_LOOK:
            return MayNotLook(reason=verdict.reason)
        return sort_home(
            person,
            unfinished=self.overview.unfinished(),
            asked=self.overview.asked_by(person, ASKED_MOST),
            ended=self.overview.ended(ENDED_MOST),
            may_decide=verdict.yes,
            may_break_glass=self._may_break_glass(reading, person),
            rights_unread=verdict.unread,
        )

    def _may_break_glass(self, reading: Reading, person: str) -> bool:
        listed = self.policy.break_glass
        return bool(listed) and reading.right_to_decide(person, None, listed).yes
