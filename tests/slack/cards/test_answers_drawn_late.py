"""An answer may be sent half an hour after the click that it answers. Whatever it says of the
present or the future must be true of the request as it is then: every code is drawn for every
state, and no sentence may stand in a state in which it is not true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from bot.request.messages import UNEXPECTED, Answer
from bot.request.model import Request, State
from bot.request.problem import Problem, ProblemKind
from bot.slack.draw.message import draw_answer
from bot.slack.draw.words.answers import ANSWERS
from bot.slack.draw.words.states import STATES
from tests.slack.cards.samples import BY_STATE, CUT_OFF, FIRST, SECOND, TERMS

ENDED = {state for state in State if not state.open}
UNSENT = {State.REFUSED, State.DENIED, State.CANCELLED, State.EXPIRED, State.CHANGED}
UNSENT |= {State.REHEARSED}

TRUE_ONLY_IN: dict[str, set[State]] = {
    r"[Nn]othing was sent": UNSENT,
    r"then the delete is sent": {State.APPROVED},
    r"about to be sent": {State.APPROVED},
    r"until it is sent": {State.APPROVED},
    r"[Cc]ard comes": {State.CHECKING},
    r"do not ask again": {State.CHECKING},
    r"not here yet": {State.CHECKING},
    r"tried again by itself": {state for state in State if state.open},
    r"\b[Pp]ress (?!Withdraw|it)": {State.PENDING},
    r"Ask them to press it": {State.CHECKING, State.APPROVED},
    r"press Withdraw": {State.PENDING},
    r"must (press|decide)": {State.PENDING},
    r"can (still )?(be decided|decide|break)": {State.PENDING},
    r"Approvers press": {State.PENDING},
    r"waits for a decision": {State.PENDING},
    r"Use the other card": {State.PENDING, State.APPROVED},
    r"can withdraw it": {State.CHECKING, State.PENDING, State.APPROVED},
    r"tells how it ends": {State.PENDING, State.DELETING, State.FOLLOWING},
    r"no longer be stopped": {State.DELETING, State.FOLLOWING},
    r"asked for again": UNSENT - {State.CHANGED},
    r"Look again later": {State.ATTENTION},
    r"ask again": {State.CHECKING, State.ATTENTION, State.REFUSED},
    r"is withdrawn": {State.CANCELLED},
    r"is on the card": {State.DENIED},
    r"task is": set(),
}
"""A pattern for each sentence about what is or will be, and the states in which it is true."""

PARAMS: list[dict[str, str]] = [
    {},
    {"by": FIRST.by, "text": "It is away"},
    {"by": "USOMEBODY", "retry_at": "1700000000000"},
    {"superseded": "yes"},
]
TURNED_AWAY = Problem(kind=ProblemKind.LIMITED, text="too many", status=429)
CHANGES: list[dict[str, Any]] = [
    {},
    {"glass": FIRST, "approvals": ()},
    {"glass_lost": FIRST, "approvals": (SECOND,)},
    {"turned_away": TURNED_AWAY, "waiting": CUT_OFF},
    {"terms": TERMS.model_copy(update={"dry_run": True})},
]


def drawn(state: State) -> Iterator[tuple[str, Request, str]]:
    """Code, row and words, for every code."""
    for code, changes, params in product([*ANSWERS, UNEXPECTED], CHANGES, PARAMS):
        row = BY_STATE[state].model_copy(update=changes)
        named = {**params, "request": row.id, "reference": "R-1"}
        yield code, row, draw_answer(Answer(event=1, code=code, params=named), row).text


@pytest.mark.parametrize("state", list(State))
def test_no_answer_says_what_is_not_true_when_it_goes_out(state: State) -> None:
    for code, row, text in drawn(state):
        for pattern, states in TRUE_ONLY_IN.items():
            found = re.search(pattern, text)
            assert not found or state in states, f"{code}: {found and found[0]!r} in {text!r}"
        assert not (row.turned_away and "othing was sent" in text), code
        assert not (row.terms.dry_run and "then the delete is sent" in text), code


@pytest.mark.parametrize("state", sorted(ENDED))
def test_an_answer_on_a_request_that_is_over_says_that_it_is(state: State) -> None:
    """Whatever the click led to: nobody goes on waiting."""
    for code, _, text in drawn(state):
        own = {
            (State.DENIED, "denied"): "Your denial is on the card",
            (State.CANCELLED, "cancelled"): "is withdrawn",
            (State.REFUSED, "refused"): "open request for this pairing",
        }.get((state, code), STATES[state].phrase)
        asked_of_it = code.startswith("look_") and state is State.ATTENTION
        superseded = "later request for this pairing has been sent" in text
        assert own in text or asked_of_it or superseded, f"{code}: {text}"


def test_whoever_came_after_the_deadline_reads_of_the_task_that_runs() -> None:
    """A approved in time, B pressed after the deadline, and B's answer went out late."""
    text = draw_answer(Answer(event=1, code="too_late"), BY_STATE[State.FOLLOWING]).text
    assert "so your click was not counted" in text
    assert "is being carried out" in text
    assert "Approved by <@UFIRST>, <@USECOND>" in text


def test_an_approval_that_was_counted_on_a_request_that_was_withdrawn_since() -> None:
    row = BY_STATE[State.CANCELLED].model_copy(update={"approvals": (FIRST, SECOND)})
    answer = Answer(event=1, code="approval_counted", params={"by": FIRST.by})
    text = draw_answer(answer, row).text
    assert text.startswith("Your approval was counted: 2 of 2 approvals. ↩️ `K7QM-3XPD` was")
    assert "Nothing was sent to the appliance." in text


def test_a_glass_that_somebody_else_has_broken_since_is_not_told_as_ones_own() -> None:
    row = BY_STATE[State.APPROVED].model_copy(update={"glass": SECOND, "glass_lost": FIRST})
    mine = draw_answer(Answer(event=1, code="glass_broken", params={"by": FIRST.by}), row).text
    theirs = draw_answer(Answer(event=2, code="glass_broken", params={"by": SECOND.by}), row).text
    assert "no longer counts" in mine
    assert "then the delete is sent" not in mine
    assert "You have broken the glass" in theirs
