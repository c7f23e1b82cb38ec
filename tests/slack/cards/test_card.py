"""The card by fact: its buttons in each state, whom it calls, what an approver must be told. How it
reads is in words.md beside it."""

from __future__ import annotations

import json

import pytest

from bot.request.messages import Answer
from bot.request.model import CANCELLABLE, Decision, Notice, Outcome, Request, State
from bot.request.pairing import Server
from bot.slack.draw.card_buttons import names_view
from bot.slack.draw.message import draw, draw_answer
from tests.slack.cards.samples import BY_STATE, FIRST, HARD, NOW, SNAPSHOT, TERMS, named, sample
from tests.slack.cards.shown import GLASS, WAITS, WITH_GLASS, changed
from tests.slack.cards.slack_checker import calls, elements, problems, reading, strings

ALL = ["unpair_approve", "unpair_deny", "unpair_cancel"]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        *((row, []) for state, row in BY_STATE.items() if state not in CANCELLABLE),
        (BY_STATE[State.CHECKING], ALL),
        (BY_STATE[State.PENDING], ALL),
        (BY_STATE[State.APPROVED], ["unpair_cancel"]),
        (WAITS, ["unpair_deny", "unpair_cancel"]),
        (changed(WAITS, time_came=True), ["unpair_deny", "unpair_cancel"]),
        (sample(terms=WITH_GLASS), [*ALL, "unpair_break_glass"]),
        (sample(terms=WITH_GLASS, only_glass=True), [*ALL[1:], "unpair_break_glass"]),
        (sample(only_glass=True), ALL),
        (sample(terms=WITH_GLASS, glass_lost=GLASS), [*ALL, "unpair_break_glass"]),
        (changed(BY_STATE[State.APPROVED], terms=WITH_GLASS, glass=GLASS), ["unpair_cancel"]),
    ],
)
def test_buttons(request_: Request, expected: list[str]) -> None:
    drawn = draw(request_, "card")
    found = elements(drawn)
    assert list(found) == expected
    values = {each["value"] for each in found.values()}
    assert values <= {f"{request_.id}:{request_.fingerprint}"}
    assert problems(drawn) == []
    red = [name for name, each in found.items() if each.get("style") == "danger"]
    assert red == [name for name in found if name in ("unpair_approve", "unpair_break_glass")][:1]
    assert [name for name, each in found.items() if "confirm" in each] == [
        name for name in found if name == "unpair_approve"
    ]


def test_checking_looks_like_pending() -> None:
    """The row turns pending when Slack has answered: the card must not need a second edit."""
    checking = sample(state=State.CHECKING, card_ts=None, pending_since=None)
    assert draw(checking, "card").digest == draw(sample(), "card").digest


@pytest.mark.parametrize("slot", ["card", "reminder:1"])
def test_nobody_is_called_who_asked_or_has_approved(slot: str) -> None:
    terms = changed(TERMS, notify=("UASKER", "UFIRST", "USECOND", "SNIGHTS"))
    fresh, half = sample(terms=terms), sample(terms=terms, approvals=(FIRST,))
    for request, called in (
        (fresh, {"UFIRST", "USECOND", "SNIGHTS"}),
        (half, {"USECOND", "SNIGHTS"}),
    ):
        for text in (draw(request, slot).text, "\n".join(list(strings(draw(request, slot)))[1:])):
            line = next(each for each in text.splitlines() if "SNIGHTS" in each)
            assert calls(line.rpartition("Please decide: ")[2]) == called


@pytest.mark.parametrize("slot", ["card", "final", "notice:1"])
def test_no_reason_can_be_dressed_up_as_words_of_ours(slot: str) -> None:
    """`*Approvals:* 2 of 2` in bold would read like the line that the card has itself."""
    words = "*Approvals:* 2 of 2 (`Ann`)\n~no~ _yes_"
    why = Decision(by="UNO", at=NOW, reason=words)
    notice = Notice(code="glass_broken", at=NOW, who=("UNO",), text=words)
    ended = {"state": State.DENIED, "outcome": Outcome(code="denied")}
    denied = sample(reason=words, denial=why, notices=(notice,), **ended)
    glass = sample(reason=words, glass=why, notices=(notice,), **ended)
    for request in (denied, glass):
        for text in strings(draw(request, slot)):
            in_code = "".join(text.split("```")[1::2])
            assert text.count(words) == in_code.count(f"\n{words}\n")
        assert any(words in text for text in strings(draw(request, slot)))


def test_what_one_person_decided_alone_is_not_called_approved() -> None:
    for state in (State.APPROVED, State.DELETING, State.FOLLOWING):
        request = changed(BY_STATE[state], glass=GLASS, approvals=(FIRST,))
        first = draw(request, "card").text.partition("\n")[0]
        assert first.startswith("🚨 Break glass")
        assert "pprove" not in first


# ---- names ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("local", "remote", "short"),
    [
        ("vcenter-berlin.example.net", "vcenter-helsinki.example.net", "Berlin” → “Helsinki"),
        ("prod-berlin.example.net", "prod-oslo.example.net", "prod-berlin” → “prod-oslo"),
        ("vc.berlin.example.net", "vc.oslo.example.net", "vc.berlin.example.net” → “vc.oslo"),
        ("dc1.berlin.example.net", "dc1.oslo.example.net", "dc1.berlin.example.net” → “dc1.oslo"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.1” → “10.0.0.2"),
        (None, "oslo", "vc-1” → “Oslo"),
        ("a*b.example.net", "<oslo>", "a\u2217b.example.net” → “\u2039oslo\u203a"),
    ],
)
def test_sites_are_named_shortly_and_never_alike(
    local: str | None, remote: str, short: str
) -> None:
    both = {"local_vc": Server(id="vc-1", name=local), "remote_vc": Server(id="vc-2", name=remote)}
    card = draw(sample(snapshot=changed(SNAPSHOT, **both)), "card")
    assert card.blocks[0]["text"]["text"].startswith(f"⏳ Break pairing “{short}")
    assert problems(card) == []


@pytest.mark.parametrize("count", [4, 12, 240, 1_000])
def test_every_name_is_a_click_away(count: int) -> None:
    """Those in recovery plans first, on the card as well."""
    names = [f"vm-{n:04d} {'&' * (80 if count > 500 else 1)}" for n in range(count)]
    read = {"count": count, "protected": 2, "replications": named(*names, protected=2)}
    request = sample(snapshot=changed(SNAPSHOT, **read))
    beside = [b["accessory"] for b in draw(request, "card").blocks if "accessory" in b]
    assert [each["action_id"] for each in beside] == ["unpair_names"] * (count > 8)
    assert all(each["value"].startswith("K7QM-3XPD:") for each in beside)
    view = names_view(request)
    texts = [block["text"]["text"] for block in view["blocks"]]
    assert len(texts) <= 100
    assert max(map(len, texts)) <= 3_000
    assert len(json.dumps(view)) < 250_000
    lines = "\n".join(texts).split("\n")
    assert [line[1:8] for line in lines if line.startswith("`vm-")] == [n[:7] for n in names]
    assert lines[4] == "*In no recovery plan*"


@pytest.mark.parametrize(
    ("protected", "complete", "words"),
    [
        (4, True, "⚠️ *4 of 12 VMs are in recovery plans*\nIn recovery plans: `db-01`, `db-02`,"),
        (12, True, "⚠️ *All 12 VMs are in recovery plans*"),
        (1, False, "⚠️ *At least 1 of 12 VMs is in a recovery plan*"),
        (0, False, "Recovery plans: unknown"),
    ],
)
def test_recovery_plans_come_first_and_none_seen_is_not_none_there(
    protected: int, complete: bool, words: str
) -> None:
    """A remote site that is away leaves a part of the list."""
    some = SNAPSHOT.replications if protected == 4 else ()
    read = {"count": 12, "protected": protected, "complete": complete, "replications": some}
    drawn = draw(sample(snapshot=changed(SNAPSHOT, **read)), "card")
    for text in (drawn.text, "\n".join(list(strings(drawn))[1:])):
        assert words in text


def test_a_request_that_is_named_is_a_link_to_its_card_where_it_has_one() -> None:
    url, other = "https://ops.slack.com/", sample(id="BBBB-CCCC")
    link = "<https://ops.slack.com/archives/C0PS/p1700000001000100|Open BBBB-CCCC>"
    refused = BY_STATE[State.REFUSED]
    hard = changed(HARD, earlier_attention="BBBB-CCCC")
    for stored, there in ((other, True), (changed(other, card_ts=None), False), (None, False)):
        card = draw(hard, "card", workspace_url=url, stored=lambda _, found=stored: found)
        answer = draw_answer(
            Answer(event=1, code="refused"), refused, url, lambda _, found=stored: found
        )
        for drawn in (card, answer):
            assert (link in drawn.text) is there, drawn.text
            assert problems(drawn) == []
        assert ("`/vr-unpair status BBBB-CCCC`" in reading(card)) is not there
