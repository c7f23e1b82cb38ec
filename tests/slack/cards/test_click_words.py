"""Whoever loses a race reads who decided, when, and what that means for them."""

from __future__ import annotations

import pytest

from bot.request.messages import Answer
from bot.request.model import Decision, Outcome, Request, State
from bot.request.who_may import Reason
from bot.slack.draw.message import draw_answer
from bot.slack.draw.words.rights import may_not_decide
from tests.slack.cards.samples import FIRST, MINUTE, NOW, SECOND, sample

AGAIN = "Ask again if it is still wanted"
STOP = "can no longer be stopped"
BOTH = (FIRST, SECOND)
DENIED = {"denial": Decision(by="UFIRST", at=NOW + MINUTE, reason="no")}
TAKEN = {"cancellation": Decision(by="UASKER", at=NOW + MINUTE)}
OVER = {"ended_at": NOW + 9 * MINUTE}


def at(ms: int) -> str:
    return f"<!date^{ms // 1000}^"


def said(code: str, state: State, **changes: object) -> str:
    request: Request = sample(state=state, **changes)
    return draw_answer(Answer(event=1, code=code), request).text


@pytest.mark.parametrize("code", ["ended", "already_decided"])
@pytest.mark.parametrize(
    ("state", "changes", "words"),
    [
        (State.DENIED, {**DENIED, **OVER}, ["Denied by <@UFIRST>", at(NOW + MINUTE), AGAIN]),
        (State.CANCELLED, {**TAKEN, **OVER}, ["Withdrawn by <@UASKER>", at(NOW + MINUTE), AGAIN]),
        (
            State.EXPIRED,
            {**OVER, "outcome": Outcome(code="not_decided")},
            ["ran out of time", f"It ended {at(NOW + 9 * MINUTE)}", AGAIN],
        ),
        (
            State.APPROVED,
            {"approvals": BOTH},
            ["<@UFIRST>, <@USECOND>", at(SECOND.at), "can be withdrawn until it is sent"],
        ),
        (State.DELETING, {"approvals": BOTH}, ["<@USECOND>", at(SECOND.at), STOP]),
        (State.FOLLOWING, {"approvals": BOTH}, ["<@USECOND>", at(SECOND.at), STOP]),
        (State.SUCCEEDED, {"approvals": BOTH, **OVER}, ["<@USECOND>", at(NOW + 9 * MINUTE)]),
    ],
    ids=lambda value: value.value if isinstance(value, State) else "",
)
def test_the_loser_of_a_race(
    code: str, state: State, changes: dict[str, object], words: list[str]
) -> None:
    text = said(code, state, **changes)
    for each in words:
        assert each in text


def test_nothing_is_said_of_sending_where_it_may_have_been_sent() -> None:
    for state in (State.DELETING, State.FOLLOWING, State.SUCCEEDED, State.FAILED, State.ATTENTION):
        assert "Nothing was sent" not in said("already_decided", state, approvals=BOTH)


def test_the_time_of_a_denial_is_not_said_twice() -> None:
    assert "It ended" not in said("ended", State.DENIED, **DENIED, **OVER)


def test_a_click_after_the_deadline_says_when_and_how_far_it_was() -> None:
    missed = {"decide_by": NOW + 5 * MINUTE, "approvals": (FIRST,)}
    text = said("too_late", State.EXPIRED, **missed, **OVER)
    for words in (at(NOW + 5 * MINUTE), "1 of 2 approvals", AGAIN):
        assert words in text
    # Another click, which came in time, may still wait to be counted.
    undecided = said("too_late", State.PENDING, **missed)
    assert at(NOW + 5 * MINUTE) in undecided
    assert "tells how it ends" in undecided
    assert AGAIN not in undecided


@pytest.mark.parametrize("others", [(), (SECOND,)])
def test_an_approval_that_was_lost_before_its_answer_was_sent(others: tuple[Decision, ...]) -> None:
    """Its answer is drawn from the row of then: "Your approval counts: 0 of 2" is no sentence."""
    answer = Answer(event=1, code="approval_counted", params={"by": FIRST.by})
    lost = draw_answer(answer, sample(approvals=others)).text
    assert "no longer counts" in lost
    assert "Your approval of" not in lost
    assert (
        "Your approval of `K7QM-3XPD` counts: 1 of 2"
        in draw_answer(answer, sample(approvals=(FIRST,))).text
    )


def test_a_broken_glass_that_was_lost_before_its_answer_was_sent() -> None:
    assert "no longer counts" in said("glass_broken", State.PENDING, glass_lost=FIRST)
    assert "then the delete is sent" in said("glass_broken", State.APPROVED, glass=FIRST)
    again = said("glass_broken", State.APPROVED, glass=FIRST, glass_lost=SECOND)
    assert "then the delete is sent" in again


@pytest.mark.parametrize("reason", [Reason.UNREADABLE, Reason.GROUP_UNREADABLE])
def test_what_slack_did_not_say_is_to_be_tried_again(reason: Reason) -> None:
    undecided = sample()
    assert may_not_decide(reason, undecided).endswith(
        "Press again in a minute. If it stays so, an administrator runs `vr-unpair check`."
    )
    assert f"Press again after {at(NOW)}" in may_not_decide(reason, undecided, str(NOW))
    assert "Press again" not in may_not_decide(Reason.NOT_LISTED, undecided, str(NOW))
