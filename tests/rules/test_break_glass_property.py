"""Alone is enough only with the right of now to break the glass, and a reason; as a property."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import event, given, settings
from hypothesis import strategies as st

from bot.request.events import RightsRead
from bot.request.model import Request, State
from bot.request.plan import ReadRights
from bot.request.who_may import GROUP_UNREADABLE, UNREADABLE, Reason, Verdict
from tests.rules.samples import YES, clicked, drive, happens, pending
from tests.support.world import one_pool

ASKER, FIRST, SECOND, CHIEF = PEOPLE = ("U0ASKER", "U0A", "U0B", "U0CHIEF")
NOT_YES = (
    Verdict(reason=Reason.NOT_LISTED),
    Verdict(reason=Reason.DEACTIVATED),
    Verdict(reason=Reason.OTHER_WORKSPACE),
    UNREADABLE,
    GROUP_UNREADABLE,
)


@dataclass(frozen=True)
class Rights:
    """Of one person at one moment; `later` is the right to break the glass before the intent."""

    approve: Verdict
    glass: Verdict
    later: Verdict


@dataclass(frozen=True)
class Press:
    by: str
    action: str
    reason: str | None
    tampered: bool


rights = st.fixed_dictionaries(
    {
        who: st.builds(
            Rights,
            approve=st.sampled_from((YES, *NOT_YES)),
            glass=st.sampled_from((YES, YES, YES, *NOT_YES)),
            later=st.sampled_from((YES, YES, YES, *NOT_YES)),
        )
        for who in PEOPLE
    }
)
presses = st.lists(
    st.builds(
        Press,
        by=st.sampled_from(PEOPLE),
        action=st.sampled_from(["break_glass", "break_glass", "approve"]),
        reason=st.sampled_from([None, "", "it burns", "it burns"]),
        tampered=st.integers(0, 9).map(lambda n: n == 0),
    ),
    max_size=8,
)


@settings(max_examples=600, deadline=None)
@given(glass_there=st.booleans(), history=presses, now=rights)
def test_nobody_alone_without_the_right_of_now_and_a_reason(
    glass_there: bool, history: list[Press], now: dict[str, Rights]
) -> None:
    """Two approvals are needed, so that one person can only be enough by breaking the glass."""
    request = pending(needed=2, break_glass=glass_there)
    broken_by = None
    for number, press in enumerate(history, start=2):
        request = _drive(_press(request, number, press), now)
        alone = (
            glass_there
            and press.action == "break_glass"
            and bool(press.reason)
            and not press.tampered
            and now[press.by].glass.yes
        )
        if alone and broken_by is None:
            broken_by = press.by
        if request.state is not State.PENDING or broken_by:
            break
    sent = request.state is State.DELETING
    if broken_by is None:
        assert request.glass is None
        assert not sent or len({d.by for d in request.approvals}) >= 2
        event("nothing broken")
        return
    later = now[broken_by].later
    assert sent == later.yes
    if sent:
        assert request.glass is not None
        assert request.glass.by == broken_by
        event("sent by one alone")
    elif later.unread:
        assert request.state is State.APPROVED
        event("waits for rights")
    else:
        assert (request.state, request.glass) == (State.PENDING, None)
        assert request.decide_by == 3_600_000
        event("back to pending")


def _press(request: Request, number: int, press: Press) -> Request:
    reason = press.reason if press.action == "break_glass" else None
    tampered = {"fingerprint": "0" * 16} if press.tampered else {}
    event = clicked(request, press.action, press.by, reason=reason, **tampered)
    return happens(request, event, number=number)


def _drive(request: Request, now: dict[str, Rights]) -> Request:
    def read(request: Request, effect: ReadRights) -> RightsRead:
        before = request.state is State.PENDING
        return RightsRead(
            verdicts={who: now[who].approve for who in effect.people},
            glass={who: now[who].glass if before else now[who].later for who in effect.glass},
            dry_run=False,
            pools=one_pool(2),
        )

    return drive(request, 0, read)
