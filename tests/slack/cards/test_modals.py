"""The modal behind Deny: what is sent to Slack, and what a submission is read as."""

from __future__ import annotations

from typing import Any

import pytest

from bot.request.model import Decision, Notice, Outcome, State
from bot.slack.draw.forms import reason_form
from bot.slack.draw.message import draw
from bot.slack.receive.buttons import ReasonSent, read_reason
from tests.slack.cards.samples import NOW, sample, sent
from tests.slack.cards.slack_checker import problems, strings
from tests.slack.cards.test_ids import ORIGIN


def submission(reason: str | None) -> dict[str, Any]:
    """As Slack sends it (Slack docs, view_submission)."""
    view = reason_form("deny", ORIGIN, sample())
    return {
        **view,
        "state": {"values": {"reason": {"value": {"type": "plain_text_input", "value": reason}}}},
    }


def test_a_reason_is_required_and_what_it_belongs_to_travels_along() -> None:
    view = reason_form("deny", ORIGIN, sample())
    assert view["type"] == "modal"
    assert view["callback_id"] == "unpair_deny_reason"
    assert view["private_metadata"] == ORIGIN.pack()
    for key in ("title", "submit", "close"):
        assert 1 <= len(view[key]["text"]) <= 24
    (field,) = [b for b in view["blocks"] if b["type"] == "input"]
    assert field["block_id"] == "reason"
    assert field["element"]["action_id"] == "value"
    assert field["element"]["multiline"] is True
    assert field["element"]["max_length"] == 2_000
    assert not field.get("optional")


def test_it_says_which_pairing() -> None:
    (what, _) = reason_form("deny", ORIGIN, sample())["blocks"]
    assert "*Lyon → Oslo*" in what["text"]["text"]


def test_a_submission() -> None:
    found = read_reason(sent(submission("  not tonight\r\nplease\x07 ")), "deny")
    assert found == ReasonSent(opened=ORIGIN, reason="not tonight\nplease")


@pytest.mark.parametrize("reason", [None, "", " \n\t", "\u202e\x00", "\u200b\u3164"])
def test_nothing_is_no_reason(reason: str | None) -> None:
    found = read_reason(sent(submission(reason)), "deny")
    assert isinstance(found, str)
    assert found


def test_a_reason_that_is_too_long() -> None:
    assert isinstance(read_reason(sent(submission("x" * 2_000)), "deny"), ReasonSent)
    found = read_reason(sent(submission("x" * 2_001)), "deny")
    assert isinstance(found, str)
    assert "2,001" in found


@pytest.mark.parametrize("piece", ["x", "&", "\n", "`", "👍"])
def test_everybody_reads_all_of_the_longest_reason_that_is_taken(piece: str) -> None:
    """One more is refused, and the last one is still on the card and in the thread."""

    def read(times: int) -> ReasonSent | str | None:
        return read_reason(sent(submission(f"a{piece * times}END")), "deny")

    most = max(n for n in range(2_001) if isinstance(read(n), ReasonSent))
    taken = read(most)
    assert isinstance(taken, ReasonSent)
    decision = Decision(by="UNO", at=NOW, reason=taken.reason)
    notice = Notice(code="glass_broken", at=NOW, who=("UNO",), text=taken.reason)
    outcome = Outcome(code="denied")
    denied = sample(state=State.DENIED, denial=decision, outcome=outcome)
    broken = sample(state=State.APPROVED, glass=decision, notices=(notice,))
    for request, slots in ((denied, ("card", "final")), (broken, ("card", "notice:1"))):
        for slot in slots:
            shown = list(strings(draw(request, slot)))[1:]
            assert any("END\n```" in text for text in shown), slot
            assert problems(draw(request, slot)) == []


@pytest.mark.parametrize(
    "view",
    [
        {},
        {"private_metadata": ORIGIN.pack()},
        {"private_metadata": "{}", "callback_id": "unpair_deny_reason"},
        {"private_metadata": None, "callback_id": "unpair_deny_reason"},
        {"private_metadata": ORIGIN.pack(), "callback_id": "unpair_request"},
    ],
)
def test_what_is_no_submission_of_this_modal(view: dict[str, Any]) -> None:
    assert read_reason(sent(view), "deny") is None


@pytest.mark.parametrize("values", [None, 7, {}, {"reason": None}, {"reason": {"value": "x"}}])
def test_a_submission_without_its_field(values: object) -> None:
    view = {**reason_form("deny", ORIGIN, sample()), "state": {"values": values}}
    assert isinstance(read_reason(sent(view), "deny"), str)
