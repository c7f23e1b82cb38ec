"""The messages of the thread and the answers to one person, by fact: whom they call, one next step,
true whenever they are drawn, never edited once told. How they read is in words.md beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings

from bot.request.absorb import absorb
from bot.request.events import PresenceRead, Stored
from bot.request.messages import UNEXPECTED, Answer
from bot.request.model import Notice, Outcome, Request, State, WaitingClick, Witness
from bot.slack.draw.message import draw, draw_answer
from bot.slack.draw.words.after_a_click import ANSWERS
from bot.slack.draw.words.phrases import STATES
from tests.slack.cards.hostile import PIECES, requests
from tests.slack.cards.samples import (
    APPROVED,
    BY_STATE,
    CUT_OFF,
    ENDED_BADLY,
    FIRST,
    NOW,
    RUNNING,
    SECOND,
    decided,
    over,
    sample,
)
from tests.slack.cards.shown import (
    CORRECTIONS,
    DRY,
    FINALS,
    GLASS,
    NOTICES_TOLD,
    REFUSALS,
    TURNED_AWAY,
    WITH_GLASS,
    WITNESS,
    changed,
)
from tests.slack.cards.slack_checker import calls, elements, problems, reading, strings

UNCLEAR = BY_STATE[State.ATTENTION]
BROKEN = NOTICES_TOLD["glass_broken"]


# ---- the final reply ---------------------------------------------------------------------------
@pytest.mark.parametrize("name", FINALS)
def test_a_final_reply_has_one_next_step_and_calls_whom_it_concerns(name: str) -> None:
    request = FINALS[name]
    drawn = draw(request, "final")
    people = {p for p in (request.requester, *request.deciders) if not p.startswith("operator:")}
    for text in (drawn.text, "\n".join(list(strings(drawn))[1:])):
        assert text.count("*Next:*") == 1
        assert people <= calls(text)
    assert problems(drawn) == []
    looks = ["unpair_look", "unpair_settle"] if request.state is State.ATTENTION else []
    assert list(elements(drawn)) == looks


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_has_one_next_step(name: str) -> None:
    drawn = draw_answer(Answer(event=1, code="refused"), REFUSALS[name])
    assert drawn.text.count("*Next:*") == 1
    assert problems(drawn) == []


def test_its_buttons_stay_until_it_is_corrected_or_settled() -> None:
    assert set(elements(draw(UNCLEAR, "final"))) == {"unpair_look", "unpair_settle"}
    assert elements(draw(changed(UNCLEAR, settled=FIRST), "final")) == {}
    corrected = draw(CORRECTIONS["look_gone"], "final")
    assert elements(corrected) == {}
    assert corrected.text.startswith("⚠️"), "the first reply still says how it ended first"


def test_a_task_that_a_look_finds_failed_is_a_correction() -> None:
    click = WaitingClick(event=9, action="look", by="UANY", team="T1", at=NOW, may=True)
    read = PresenceRead(tasks=(changed(ENDED_BADLY, id="new"),), pairing="there")
    looked = Stored(at=NOW, event=read)
    after = absorb(changed(UNCLEAR, clicks=(click,)), looked, NOW).request
    assert after.state is State.FAILED
    assert after.correction is not None
    assert after.correction.code == "look_task_failed"


# ---- the head of the audit trail ---------------------------------------------------------------
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(request=requests())
def test_the_head_of_the_trail_stands_whole_however_much_else_is_said(request: Request) -> None:
    assume(request.outcome is not None)
    drawn = draw(changed(request, ended_in=WITNESS), "final")
    assert problems(drawn) == []
    shown = [text for text in strings(list(drawn.blocks)) if WITNESS.short in text]
    assert len(shown) == 1
    assert shown[0].startswith("Audit trail: record 1204")
    assert WITNESS.short not in draw(request, "final").text


def test_a_correction_has_its_own_and_leaves_the_first_reply_as_it_is() -> None:
    later = Witness(number=1310, hash="fedcba9876543210" * 4)
    row = changed(CORRECTIONS["look_gone"], ended_in=WITNESS, corrected_in=later)
    first, second = draw(row, "final").text, draw(row, "correction").text
    assert WITNESS.short in first.splitlines()[-1]
    assert "1310" in second.splitlines()[-1]
    assert WITNESS.short not in second


# ---- progress and notices ----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("number", "bar"),
    [(None, ""), (0, " 0 %"), (9, "▱▱ 9 %"), (100, "▰▰ 100 %"), (250, "▰▰ 100 %"), (-3, " 0 %")],
)
def test_progress_bar(number: int | None, bar: str) -> None:
    task = changed(RUNNING, progress=number)
    text = draw(changed(BY_STATE[State.FOLLOWING], task=task), "progress").text
    assert text.split("\n")[0].endswith(bar or "`RUNNING`")


@pytest.mark.parametrize("slot", ["notice:0", "notice:1", "notice:x", "answer:3", "poem"])
def test_slots_that_no_row_asks_for(slot: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        draw(over("not_decided"), slot)


@pytest.mark.parametrize("slot", ["notice:1", "alarm:1", "told:UANN:1"])
@pytest.mark.parametrize("name", NOTICES_TOLD)
def test_what_was_told_never_changes_afterwards(name: str, slot: str) -> None:
    """Edited later it would say something that was never the case, and everybody would see it."""
    told = NOTICES_TOLD[name]
    later = changed(
        told,
        state=State.SUCCEEDED,
        outcome=Outcome(code="proved"),
        task=RUNNING,
        glass_lost=FIRST,
        notices=(*told.notices, Notice(code="goes_on", at=NOW)),
    )
    assert draw(told, slot).digest == draw(later, slot).digest


# ---- break glass -------------------------------------------------------------------------------
def test_a_broken_glass_is_told_with_those_words_who_and_why() -> None:
    done = decided("proved", terms=WITH_GLASS, glass=GLASS)
    for drawn in (draw(changed(APPROVED, glass=GLASS), "card"), draw(done, "final")):
        said = "\n".join(list(strings(drawn))[1:])
        assert "*Break glass:* <@UCHIEF> decided alone" in said
        assert f"```\n{GLASS.reason}\n```" in said
        assert "reak glass" in drawn.text
        assert "UCHIEF" in calls(drawn.text)
    own = changed(APPROVED, glass=changed(GLASS, by="UASKER"))
    assert "<@UASKER>, who also asked for it" in reading(draw(own, "card"))


@pytest.mark.parametrize("piece", PIECES)
def test_every_approver_is_called_whatever_the_reason_is_made_of(piece: str) -> None:
    """300 of them, in a message that Slack takes and that calls nobody else."""
    many = tuple(f"U{n:010}" for n in range(300))
    told = changed(BROKEN.notices[0], called=many, text=(piece * 2_000)[:2_000], unread=())
    drawn = draw(changed(BROKEN, notices=(told,)), "alarm:1")
    assert problems(drawn) == []
    in_blocks = calls("\n".join(list(strings(drawn))[1:]))
    assert in_blocks == {*many, "UASKER", "UPERSON"}


# ---- answers, which may be sent half an hour after the click ------------------------------------
UNSENT = {State.REFUSED, State.DENIED, State.CANCELLED, State.EXPIRED, State.CHANGED}
UNSENT |= {State.REHEARSED}
TRUE_ONLY_IN: dict[str, set[State]] = {
    r"[Nn]othing was sent": UNSENT,
    r"about to be sent": {State.APPROVED},
    r"until it is sent": {State.APPROVED},
    r"[Cc]ard comes": {State.CHECKING},
    r"Do not ask again": {State.CHECKING},
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
CHANGES: list[dict[str, Any]] = [
    {},
    {"glass": FIRST, "approvals": ()},
    {"glass_lost": FIRST, "approvals": (SECOND,)},
    {"turned_away": TURNED_AWAY, "waiting": CUT_OFF},
    {"terms": DRY},
]


def answered(state: State) -> Iterator[tuple[str, Request, str]]:
    """Code, row and words, for every code."""
    for code, changes, params in product([*ANSWERS, UNEXPECTED], CHANGES, PARAMS):
        row = changed(BY_STATE[state], **changes)
        named = {**params, "request": row.id, "reference": "R-1"}
        yield code, row, draw_answer(Answer(event=1, code=code, params=named), row).text


@pytest.mark.parametrize("state", list(State))
def test_no_answer_says_what_is_not_true_when_it_goes_out(state: State) -> None:
    for code, row, text in answered(state):
        for pattern, states in TRUE_ONLY_IN.items():
            found = re.search(pattern, text)
            assert not found or state in states, f"{code}: {found and found[0]!r} in {text!r}"
        assert not (row.turned_away and "othing was sent" in text), code
        assert "None" not in text


@pytest.mark.parametrize("state", [state for state in State if not state.open])
def test_an_answer_on_a_request_that_is_over_says_that_it_is(state: State) -> None:
    """Whatever the click led to: nobody goes on waiting."""
    for code, row, text in answered(state):
        own = {
            (State.DENIED, "denied"): "on the card",
            (State.CANCELLED, "cancelled"): "withdrawn",
            (State.REFUSED, "refused"): "*Next:*",
        }.get((state, code), f"{STATES[state].mark} `{row.id}`")
        after_the_end = ("look_", "no_look_", "no_settle_")
        asked_of_it = code.startswith(after_the_end) and state is State.ATTENTION
        superseded = "later request for this pairing" in text
        assert own in text or asked_of_it or superseded, f"{code}: {text}"


def test_a_decision_that_was_lost_before_its_answer_was_sent_is_told_as_lost() -> None:
    """Its answer is drawn from the row of then: "Your approval was counted" alone would mislead. A
    glass that somebody else has broken since is not told as one's own."""
    broken = changed(APPROVED, glass=SECOND, glass_lost=FIRST)
    for code, row, by, lost in (
        ("approval_counted", sample(), FIRST, True),
        ("approval_counted", sample(approvals=(SECOND,)), FIRST, True),
        ("approval_counted", sample(approvals=(FIRST,)), FIRST, False),
        ("glass_broken", sample(glass_lost=FIRST), FIRST, True),
        ("glass_broken", broken, FIRST, True),
        ("glass_broken", broken, SECOND, False),
    ):
        text = draw_answer(Answer(event=1, code=code, params={"by": by.by}), row).text
        assert ("no longer counts" in text) is lost, text
