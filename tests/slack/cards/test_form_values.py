"""What a button or a form brought back is read as: those behind Deny, Break glass and Settle, and
the form of the command. It has been with a person's client: nothing that it carries is an error."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.request.model import Decision, Notice, Outcome, State
from bot.request.request_id import new_request_id
from bot.slack.draw import ask_form
from bot.slack.draw.card_buttons import FORMS, WithReason, reason_form
from bot.slack.draw.ids import AskOrigin, ButtonValue, ReasonOrigin
from bot.slack.draw.message import draw
from bot.slack.receive.button_pressed import read_reason
from bot.slack.receive.payload import FormSent
from bot.slack.receive.request_form import read_request
from tests.slack.cards.hostile import FOREIGN
from tests.slack.cards.samples import NOW, sample, sent
from tests.slack.cards.slack_checker import problems, strings
from tests.slack.cards.words_page import PRESSED
from tests.support.world import policy


def submission(reason: object, form: WithReason = "deny") -> dict[str, Any]:
    """As Slack sends it (Slack docs, view_submission)."""
    value = {"value": {"type": "plain_text_input", "value": reason}}
    return {
        **reason_form(form, PRESSED, sample()),
        "state": {"values": {FORMS[form].block_id: value}},
    }


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("reason", [None, "", " \n\t", "\u202e\x00", "\u200b\u3164"])
def test_nothing_is_no_reason(reason: str | None, form: WithReason) -> None:
    found = read_reason(sent(submission(reason, form)), form)
    assert isinstance(found, str)
    assert found


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


# ---- the request form, with several appliances --------------------------------------------------
ID = "11111111-2222-3333-4444-555555555555"
OTHER = {"pairing": ask_form.NOT_OF_SITE}
"""Which of the two was meant nobody can tell."""


@pytest.mark.parametrize(
    ("site", "pairing", "meant"),
    [
        (None, f"berlin/{ID}", ("berlin", ID)),
        ("berlin", f"berlin/{ID}", ("berlin", ID)),
        ("BERLIN", f"berlin/{ID}", ("berlin", ID)),
        ("berlin", ID, ("berlin", ID)),
        (None, ID, ("", ID)),
        ("berlin", f"prague/{ID}", OTHER),
        ("berlin", f"PRAGUE/{ID}", OTHER),
    ],
)
def test_the_chosen_site_is_that_of_the_pairing(
    site: str | None, pairing: str, meant: tuple[str, str] | dict[str, str]
) -> None:
    opened = AskOrigin(request_id="K7QM-3XPD", channel="C1", opened_by=1)
    chosen = {"pairing": pairing, "force": "false", **({"site": site} if site else {})}
    values = {name: {"value": {"selected_option": {"value": v}}} for name, v in chosen.items()}
    view = {
        "callback_id": "unpair_request",
        "private_metadata": opened.pack(),
        "state": {"values": values},
    }
    sent = FormSent.model_validate({"user": {"id": "U1"}, "trigger_id": "1", "view": view})
    (terms,) = policy().sites.values()
    read = read_request(sent, policy(sites=dict.fromkeys(("berlin", "prague"), terms)))
    assert ((read[1].site, read[1].pairing) if isinstance(read, tuple) else read) == meant


# ---- what buttons and forms carry ---------------------------------------------------------------
def test_every_new_id_fits_into_a_button() -> None:
    for _ in range(50):
        value = ButtonValue(request_id=new_request_id(), fingerprint="0123456789abcdef")
        assert value.pack() == f"{value.request_id}:0123456789abcdef"
        assert ButtonValue.unpack(value.pack()) == value


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        "K7QM-3XPD",
        "K7QM-3XPD:",
        ":abc",
        "K7QM-3XPD:ab\n",
        "k7qm-3xpd:ab",
        "K7QM-3XPD:" + "a" * 65,
        "A" * 41 + ":ab",
    ],
)
def test_nonsense_is_no_button_of_ours(value: object) -> None:
    assert ButtonValue.unpack(value) is None


@given(value=st.one_of(FOREIGN, st.none(), st.integers(), st.binary(), st.lists(st.text())))
def test_foreign_values_never_raise(value: object) -> None:
    found = ButtonValue.unpack(value)
    assert found is None or found.pack() == value
    assert ReasonOrigin.unpack(value) is None


def test_the_origin_of_a_denial_comes_back() -> None:
    assert ReasonOrigin.unpack(PRESSED.pack()) == PRESSED
    assert len(PRESSED.pack()) < 3_000


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("request_id", "<@U1>"),
        ("fingerprint", ""),
        ("channel", ""),
        ("message_ts", "now\n"),
        ("opened_by", -1),
        ("opened_by", None),
        ("opened_by", "17"),
        ("ours", 1),
        ("ours", "yes"),
        ("more", 1),
    ],
)
def test_a_changed_origin_is_none(field: str, value: object) -> None:
    packed = ReasonOrigin.model_construct(**{**PRESSED.model_dump(), field: value})
    raw = packed.model_dump_json(warnings=False) if field != "more" else '{"more": 1}'
    assert ReasonOrigin.unpack(raw) is None
