"""Each request stands once on somebody's home, in the list that tells them the most."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.request.lookup_results import Home, sort_home
from bot.request.model import Decision, Request, State
from tests.slack.cards.samples import NOW, TERMS, sample

ME, OTHER = "UME", "UOTHER"


def numbered(number: int, **changes: object) -> Request:
    return sample(id=f"R{number}", created_at=NOW + number, **changes)


def home(*requests: Request, may_decide: bool = True, may_break_glass: bool = False) -> Home:
    return sort_home(
        ME,
        unfinished=[r for r in requests if r.state.open],
        asked=[r for r in requests if r.requester == ME],
        ended=[r for r in requests if not r.state.open],
        may_decide=may_decide,
        may_break_glass=may_break_glass,
        rights_unread=False,
    )


def ids(requests: tuple[Request, ...]) -> list[str]:
    return [r.id for r in requests]


def test_what_waits_for_me_is_what_i_can_still_decide() -> None:
    late = numbered(1, requester=OTHER, decide_by=NOW + 900)
    soon = numbered(2, requester=OTHER, decide_by=NOW + 100)
    mine = numbered(3, requester=ME)
    said = numbered(4, requester=OTHER, approvals=(Decision(by=ME, at=NOW),))
    checked = numbered(5, requester=OTHER, state=State.CHECKING)
    seen = home(late, soon, mine, said, checked)
    assert ids(seen.waiting) == ["R2", "R1"]
    assert ids(seen.asked) == ["R3"]
    assert ids(seen.others) == ["R5", "R4"]
    assert home(late, soon, may_decide=False).waiting == ()
    assert ids(home(late, soon, may_decide=False).others) == ["R2", "R1"]


def test_what_nobody_can_approve_waits_for_those_who_may_break_the_glass() -> None:
    terms = TERMS.model_copy(update={"break_glass": True})
    alone = numbered(1, requester=OTHER, terms=terms, only_glass=True)
    either = numbered(2, requester=OTHER, terms=terms)
    assert ids(home(alone, either).waiting) == ["R2"]
    assert ids(home(alone, either, may_break_glass=True).waiting) == ["R1", "R2"]
    assert ids(home(alone, either, may_decide=False, may_break_glass=True).waiting) == ["R1"]


@given(
    st.lists(
        st.builds(
            lambda state, by, said: (state, by, said),
            st.sampled_from(State),
            st.sampled_from([ME, OTHER]),
            st.booleans(),
        ),
        max_size=12,
    ),
    st.booleans(),
)
def test_each_is_shown_exactly_once(drawn: list[tuple[State, str, bool]], may_decide: bool) -> None:
    requests = [
        numbered(n, state=state, requester=by, approvals=(Decision(by=ME, at=NOW),) if said else ())
        for n, (state, by, said) in enumerate(drawn)
    ]
    seen = home(*requests, may_decide=may_decide)
    lists = (seen.waiting, seen.asked, seen.running, seen.others, seen.ended)
    shown = [r.id for each in lists for r in each]
    assert sorted(shown) == sorted(r.id for r in requests)
    assert all(r.requester != ME for r in seen.waiting)
    assert ids(seen.asked) == [r.id for r in reversed(requests) if r.requester == ME]
