"""What a form brought back is read as: those behind Deny, Break glass and It is settled, and the
form of the command."""

from __future__ import annotations

from typing import Any

import pytest

from bot.request.model import Decision, Notice, Outcome, State
from bot.slack.draw import ask_form
from bot.slack.draw.card_buttons import FORMS as MADE
from bot.slack.draw.card_buttons import WithReason, reason_form
from bot.slack.draw.ids import AskOrigin, ReasonOrigin
from bot.slack.draw.message import draw
from bot.slack.receive.form_submitted import read_reason, read_request
from bot.slack.receive.payload import FormSent
from tests.slack.cards.samples import NOW, sample, sent
from tests.slack.cards.shown import WITH_GLASS
from tests.slack.cards.slack_checker import problems, strings
from tests.slack.cards.words_page import PRESSED
from tests.support.world import policy

FORMS: dict[WithReason, tuple[str, str]] = {
    "deny": ("unpair_deny_reason", "reason"),
    "break_glass": ("unpair_break_glass_reason", "reason"),
    "settle": ("unpair_settle_words", "words"),
}


def submission(reason: object, form: WithReason = "deny") -> dict[str, Any]:
    """As Slack sends it (Slack docs, view_submission)."""
    value = {"value": {"type": "plain_text_input", "value": reason}}
    return {
        **reason_form(form, PRESSED, sample()),
        "state": {"values": {MADE[form].block_id: value}},
    }


@pytest.mark.parametrize("form", FORMS)
def test_a_reason_is_required_and_what_it_belongs_to_travels_along(form: WithReason) -> None:
    view = reason_form(form, PRESSED, sample(terms=WITH_GLASS))
    callback, block = FORMS[form]
    assert (view["type"], view["callback_id"]) == ("modal", callback)
    assert view["private_metadata"] == PRESSED.pack()
    assert all(1 <= len(view[key]["text"]) <= 24 for key in ("title", "submit", "close"))
    told, field = view["blocks"]
    assert "Lyon → Oslo" in told["text"]["text"]
    assert (field["block_id"], field["element"]["action_id"]) == (block, "value")
    assert field["element"]["multiline"] is True
    assert field["element"]["max_length"] == 2_000
    assert not field.get("optional")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("reason", [None, "", " \n\t", "\u202e\x00", "\u200b\u3164"])
def test_nothing_is_no_reason(reason: str | None, form: WithReason) -> None:
    found = read_reason(sent(submission(reason, form)), form)
    assert isinstance(found, str)
    assert found


def test_a_reason_that_is_too_long() -> None:
    assert isinstance(read_reason(sent(submission("x" * 2_000)), "deny"), tuple)
    found = read_reason(sent(submission("x" * 2_001)), "deny")
    assert isinstance(found, str)
    assert "2,001" in found


@pytest.mark.parametrize("piece", ["x", "&", "\n", "`", "👍"])
def test_everybody_reads_all_of_the_longest_reason_that_is_taken(piece: str) -> None:
    """One more is refused, and the last one is still on the card and in the thread."""

    def read(times: int) -> tuple[ReasonOrigin, str] | str | None:
        return read_reason(sent(submission(f"a{piece * times}END")), "deny")

    most = max(n for n in range(2_001) if isinstance(read(n), tuple))
    taken = read(most)
    assert isinstance(taken, tuple)
    decision = Decision(by="UNO", at=NOW, reason=taken[1])
    notice = Notice(code="glass_broken", at=NOW, who=("UNO",), text=taken[1])
    denied = sample(state=State.DENIED, denial=decision, outcome=Outcome(code="denied"))
    broken = sample(state=State.APPROVED, glass=decision, notices=(notice,))
    for request, slots in ((denied, ("card", "final")), (broken, ("card", "notice:1"))):
        for slot in slots:
            shown = list(strings(draw(request, slot)))[1:]
            assert any("END\n```" in text for text in shown), slot
            assert problems(draw(request, slot)) == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("read_as", FORMS)
def test_one_form_is_never_read_as_another(form: WithReason, read_as: WithReason) -> None:
    expected = (PRESSED, "it burns") if form == read_as else None
    assert read_reason(sent(submission(" it burns ", form)), read_as) == expected


# ---- the request form, with several appliances --------------------------------------------------
ID = "11111111-2222-3333-4444-555555555555"
SITES = policy().sites


def request_sent(site: str | None, pairing: str, *sites: str) -> Any:
    """The site and the pairing that are asked for, or what is wrong."""
    opened = AskOrigin(request_id="K7QM-3XPD", channel="C1", opened_by=1)
    chosen = {"pairing": pairing, "force": "false", **({"site": site} if site else {})}
    values = {name: {"value": {"selected_option": {"value": v}}} for name, v in chosen.items()}
    view = {
        "callback_id": "unpair_request",
        "private_metadata": opened.pack(),
        "state": {"values": values},
    }
    sent = FormSent.model_validate({"user": {"id": "U1"}, "trigger_id": "1", "view": view})
    terms = next(iter(SITES.values()))
    read = read_request(sent, policy(sites=dict.fromkeys(sites, terms)))
    return (read[1].site, read[1].pairing) if isinstance(read, tuple) else read


@pytest.mark.parametrize(
    ("site", "pairing", "meant"),
    [
        (None, f"berlin/{ID}", ("berlin", ID)),
        ("berlin", f"berlin/{ID}", ("berlin", ID)),
        ("BERLIN", f"berlin/{ID}", ("berlin", ID)),
        ("berlin", ID, ("berlin", ID)),
        ("berlin", "a/b", ("berlin", "a/b")),
        (None, ID, ("", ID)),
    ],
)
def test_the_chosen_site_is_that_of_the_pairing(
    site: str | None, pairing: str, meant: tuple[str, str]
) -> None:
    assert request_sent(site, pairing, "berlin", "prague") == meant


@pytest.mark.parametrize("pairing", [f"prague/{ID}", f"PRAGUE/{ID}"])
def test_a_pairing_of_another_site_than_the_chosen_one_is_asked_about(pairing: str) -> None:
    """Which of the two was meant nobody can tell."""
    assert request_sent("berlin", pairing, "berlin", "prague") == {"pairing": ask_form.NOT_OF_SITE}
