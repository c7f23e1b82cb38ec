"""The buttons of the card in each state, who is called, and what must always be said."""

from __future__ import annotations

import pytest

from bot.request.model import Decision, Notice, Request, State
from bot.request.pairing import Server
from bot.slack.draw.card import hits
from bot.slack.draw.ids import ButtonValue
from bot.slack.draw.message import draw
from tests.slack.drawing.samples import (
    BY_STATE,
    ENDED,
    FIRST,
    HARD,
    NOW,
    SNAPSHOT,
    TERMS,
    sample,
)
from tests.slack.drawing.slack_checker import calls, elements, problems, reading, strings


@pytest.mark.parametrize("state", list(State))
def test_buttons(state: State) -> None:
    request = BY_STATE[state]
    expected = {
        State.CHECKING: {"unpair_approve", "unpair_deny", "unpair_cancel"},
        State.PENDING: {"unpair_approve", "unpair_deny", "unpair_cancel"},
        State.APPROVED: {"unpair_cancel"},
    }.get(state, set())
    found = elements(draw(request, "card"))
    assert set(found) == expected
    for element in found.values():
        value = ButtonValue.unpack(element["value"])
        assert value == ButtonValue(request_id=request.id, fingerprint=request.fingerprint or "")
    assert problems(draw(request, "card")) == []


def test_only_approve_is_dangerous_and_asks_back_by_name() -> None:
    found = elements(draw(BY_STATE[State.PENDING], "card"))
    assert found["unpair_approve"]["style"] == "danger"
    question = found["unpair_approve"]["confirm"]["text"]["text"]
    assert "`lyon.example.com → oslo.example.com`" in question
    assert "12 replications" in question
    for other in ("unpair_deny", "unpair_cancel"):
        assert "style" not in found[other]
        assert "confirm" not in found[other]


def test_the_question_says_one_sided_and_dry_run() -> None:
    forced = sample(force=True)
    question = elements(draw(forced, "card"))["unpair_approve"]["confirm"]["text"]["text"]
    assert (
        "Only `lyon.example.com` drops the pairing; `oslo.example.com` keeps its half." in question
    )
    question = elements(draw(HARD, "card"))["unpair_approve"]["confirm"]["text"]["text"]
    assert "nothing will be deleted" in question


def test_the_question_is_never_cut_off() -> None:
    """Names as long as DNS takes them, and more replications than an appliance holds."""
    long = SNAPSHOT.model_copy(
        update={
            "local_vc": Server(id="vc-1", name="lyon." + "l" * 248, status="OK"),
            "remote_vc": Server(id="vc-2", name="oslo." + "o" * 248, status="OK"),
            "count": 100_000,
        }
    )
    card = draw(sample(force=True, snapshot=long), "card")
    question = elements(card)["unpair_approve"]["confirm"]["text"]["text"]
    assert "`lyon." in question
    assert "`oslo." in question
    assert "keeps its half." in question
    assert question.endswith("and all 100,000 replications reconfigured.")


def test_checking_looks_like_pending() -> None:
    """The row turns pending when Slack has answered: the card must not need a second edit."""
    pending = sample()
    checking = sample(state=State.CHECKING, card_ts=None, pending_since=None)
    assert draw(checking, "card").digest == draw(pending, "card").digest


def test_whoever_is_to_be_notified_is_called_in_text_and_block_until_it_is_decided() -> None:
    called = set(TERMS.notify)
    fresh = draw(sample(), "card")
    assert called <= calls(fresh.text)
    assert called <= calls("\n".join(list(strings(fresh))[1:]))
    for state in set(State) - {State.CHECKING, State.PENDING}:
        assert not called & set().union(*map(calls, strings(draw(BY_STATE[state], "card"))))


def test_nobody_is_called_where_notify_is_nobody() -> None:
    quiet = sample(terms=TERMS.model_copy(update={"notify": ()}))
    assert set().union(*map(calls, strings(draw(quiet, "card")))) == {"UASKER"}


@pytest.mark.parametrize("slot", ["card", "reminder:1"])
def test_nobody_is_called_who_asked_or_has_approved(slot: str) -> None:
    terms = TERMS.model_copy(update={"notify": ("UASKER", "UFIRST", "USECOND", "SNIGHTS")})
    fresh, half = sample(terms=terms), sample(terms=terms, approvals=(FIRST,))
    for request, called in (
        (fresh, {"UFIRST", "USECOND", "SNIGHTS"}),
        (half, {"USECOND", "SNIGHTS"}),
    ):
        for text in (draw(request, slot).text, reading(draw(request, slot))):
            line = next(each for each in text.splitlines() if "SNIGHTS" in each)
            assert calls(line) == called


def test_no_reason_is_said() -> None:
    assert "no reason given" in reading(draw(sample(reason="  "), "card"))


@pytest.mark.parametrize("slot", ["card", "final", "notice:1"])
def test_no_reason_can_be_dressed_up_as_words_of_ours(slot: str) -> None:
    """`*Approvals:* 2 of 2` in bold would read like the line that the card has itself."""
    words = "*Approvals:* 2 of 2 (`Ann`)\n~no~ _yes_"
    why = Decision(by="UNO", at=NOW, reason=words)
    notice = Notice(code="glass_broken", at=NOW, who=("UNO",), text=words)
    denied = sample(state=State.DENIED, reason=words, denial=why, notices=(notice,))
    glass = sample(state=State.APPROVED, reason=words, glass=why, notices=(notice,))
    for request in (denied, glass):
        for text in strings(draw(request, slot)):
            in_code = "".join(text.split("```")[1::2])
            assert text.count(words) == in_code.count(f"\n{words}\n")
        assert any(words in text for text in strings(draw(request, slot)))


def test_long_lists_say_how_many_more() -> None:
    card = "".join(strings(draw(sample(), "card")))
    assert "`db-01`, `db-02`, `web-01`, `web-02`, `mail` and 7 more." in card
    none = sample(
        snapshot=SNAPSHOT.model_copy(update={"count": 0, "replications": (), "protected": 0})
    )
    assert "*No replications* use this pairing." in reading(draw(none, "card"))


@pytest.mark.parametrize("several", [False, True])
def test_the_site_is_named_where_there_are_several(several: bool) -> None:
    request = sample(terms=TERMS.model_copy(update={"several": several}))
    assert ("site `lyon`" in reading(draw(request, "card"))) is several


def test_only_the_count_is_compared_is_said_only_then() -> None:
    words = "If one VM is swapped for another before the delete, the bot will not notice."
    assert words in "".join(strings(draw(HARD, "card")))
    assert words not in "".join(strings(draw(sample(), "card")))
    told = SNAPSHOT.model_copy(update={"partial": ("issues: not read",)})
    card = "".join(strings(draw(sample(snapshot=told), "card")))
    assert "issues: not read" in card
    assert words not in card


def test_the_command_that_leads_to_an_earlier_request_is_the_one_of_this_deployment() -> None:
    assert "`/test-unpair status DDDD-FFFF`" in reading(draw(HARD, "card", "/test-unpair"))


def test_expired_never_reads_as_denied() -> None:
    for slot in ("card", "final"):
        drawn = draw(BY_STATE[State.EXPIRED], slot)
        assert all("den" not in text.lower() for text in strings(drawn)), slot


@pytest.mark.parametrize("request_", [sample(), *ENDED.values()], ids=lambda r: r.state.value)
def test_reconnect_does_not_bring_it_back(request_: Request) -> None:
    """Before the decision, and in the record that stays."""
    words = " ".join(reading(draw(request_, "card")).split())
    assert "and all 12 replications reconfigured. Reconnect does not bring a pairing back" in words
    assert "*Ordinary break:* both sites drop the pairing" in words


def test_no_replications_have_nothing_to_be_configured_anew() -> None:
    none = SNAPSHOT.model_copy(update={"count": 0, "replications": (), "protected": 0})
    assert "reconfigured" not in reading(draw(sample(snapshot=none), "card"))


def test_a_row_that_was_never_read_is_drawn_all_the_same() -> None:
    drawn = draw(sample(snapshot=None, fingerprint=None), "card")
    assert "`oslo`" in drawn.text
    assert problems(drawn) == []


@pytest.mark.parametrize(
    ("protected", "complete", "words"),
    [
        (0, True, None),
        (4, True, "⚠️ 4 of them are protected"),
        (12, False, "⚠️ All of them are protected"),
        (1, False, "⚠️ At least 1 of them is protected"),
        (0, False, "⚠️ Whether recovery plans (Site Recovery Manager) protect them cannot be told."),
    ],
)
def test_recovery_plans_of_replications_that_are_not_listed(
    protected: int, complete: bool, words: str | None
) -> None:
    """A remote site that is away leaves a part of the list: none seen is not none there."""
    read = SNAPSHOT.model_copy(update={"count": 12, "protected": protected, "complete": complete})
    for brief in (True, False):
        about = [line for line in hits(sample(snapshot=read), brief=brief) if "recovery" in line]
        assert [line.startswith(words or "") for line in about] == ([True] if words else [])


@pytest.mark.parametrize(
    ("count", "anew"),
    [(0, "paired again."), (1, "and its replication reconfigured."), (1_200, "all 1,200 repl")],
)
def test_what_it_would_take_to_have_it_back_is_counted(count: int, anew: str) -> None:
    shown = SNAPSHOT.model_copy(update={"count": count})
    assert anew in " ".join(reading(draw(sample(snapshot=shown), "card")).split())
