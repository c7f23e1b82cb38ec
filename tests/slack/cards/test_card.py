"""The buttons of the card in each state, who is called, and what must always be said."""

from __future__ import annotations

import json

import pytest

from bot.request.messages import Answer
from bot.request.model import Decision, Notice, Request, State
from bot.request.pairing import Server
from bot.slack.draw.buttons import names_view
from bot.slack.draw.ids import ButtonValue
from bot.slack.draw.message import draw, draw_answer
from tests.slack.cards.samples import (
    BY_STATE,
    ENDED,
    ENDED_WELL,
    FIRST,
    HARD,
    NOW,
    SNAPSHOT,
    TERMS,
    decided,
    named,
    sample,
)
from tests.slack.cards.slack_checker import calls, elements, problems, reading, strings


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
    assert "*Lyon → Oslo*: 12 replications" in question
    assert "4 of 12 VMs are in recovery plans: db-01, db-02, web-01, web-02." in question
    assert "Both sites drop the pairing." in question
    assert calls(question) == {"UASKER"}
    for other in ("unpair_deny", "unpair_cancel"):
        assert "style" not in found[other]
        assert "confirm" not in found[other]


def test_the_question_says_one_sided_and_dry_run() -> None:
    forced = sample(force=True)
    question = elements(draw(forced, "card"))["unpair_approve"]["confirm"]["text"]["text"]
    assert "12 replications, one-sided." in question
    assert "Only Lyon drops the pairing; Oslo keeps its half." in question
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
    assert "*Lyon → Oslo*" in question
    assert question.endswith("keeps its half. This can't be undone.")


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
        for text in (draw(request, slot).text, "\n".join(list(strings(draw(request, slot)))[1:])):
            line = next(each for each in text.splitlines() if "SNIGHTS" in each)
            assert calls(line.rpartition("Please decide: ")[2]) == called


def test_no_reason_is_said() -> None:
    assert "No reason was given." in reading(draw(sample(reason="  "), "card"))


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
    assert "db-01, db-02, web-01, web-02.\nIn no recovery plan: mail, ldap and 6 more." in card
    none = sample(
        snapshot=SNAPSHOT.model_copy(update={"count": 0, "replications": (), "protected": 0})
    )
    assert "*No replications* use this pairing." in reading(draw(none, "card"))


@pytest.mark.parametrize("several", [False, True])
def test_the_site_is_named_where_there_are_several(several: bool) -> None:
    request = sample(terms=TERMS.model_copy(update={"several": several}))
    assert ("site `lyon`" in reading(draw(request, "card"))) is several


def test_only_the_count_is_compared_is_said_only_then() -> None:
    words = "of the replications only the number is compared"
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


def test_reconnect_does_not_bring_it_back() -> None:
    """Before the decision, and in the record of what was broken."""
    words = " ".join(reading(draw(sample(), "card")).split())
    assert (
        "replications reconfigured. The vendor's Reconnect does not bring the pairing back."
        in words
    )
    words = " ".join(reading(draw(BY_STATE[State.SUCCEEDED], "card")).split())
    assert "reconfigure all 12 replications. Reconnect does not bring the pairing back." in words


@pytest.mark.parametrize("request_", ENDED.values(), ids=lambda r: r.state.value)
def test_a_card_that_is_done_says_what_was_done_and_nothing_of_what_would_be(
    request_: Request,
) -> None:
    words = " ".join(reading(draw(request_, "card")).split())
    for told in (
        "*Lyon → Oslo*: 12 replications.",
        "Asked by <@UASKER>",
        "CHG1234567 Oslo moves out",
        "*Next step:*",
        "Request `K7QM-3XPD` · lyon.example.com → oslo.example.com",
    ):
        assert words.count(told) == 1, told
    for gone in ("asks", "drops", "can't be undone", "protected", "Approvals"):
        assert gone not in words, gone


def test_the_pairing_is_said_to_be_gone_once_on_the_card_and_once_in_the_thread() -> None:
    done = BY_STATE[State.SUCCEEDED]
    assert reading(draw(done, "card")).count("pairing is gone") == 1
    thread = [reading(draw(done, slot)) for slot in ("progress", "final")]
    assert "\n".join(thread).count("pairing is gone") == 1


@pytest.mark.parametrize(
    ("code", "heading"),
    [
        ("proved", "# ✅ Done at Lyon; Oslo still has its half\n"),
        (
            "gone_untold",
            "# ✅ Gone at Lyon, whether by this call cannot be told; Oslo still has its half\n",
        ),
    ],
)
def test_a_one_sided_end_says_so_in_its_heading(code: str, heading: str) -> None:
    request = decided(State.SUCCEEDED, code, task=ENDED_WELL, force=True)
    said = reading(draw(request, "card")).replace("\n---", "")
    assert said.startswith(heading), said


# ---- names ---------------------------------------------------------------------------------
def named_as(local: str | None, remote: str, **changes: object) -> Request:
    both = {"local_vc": Server(id="vc-1", name=local), "remote_vc": Server(id="vc-2", name=remote)}
    return sample(snapshot=SNAPSHOT.model_copy(update={**both, **changes}))


@pytest.mark.parametrize(
    ("local", "remote", "short"),
    [
        ("vcenter-berlin.example.net", "vcenter-helsinki.example.net", "Berlin → Helsinki"),
        ("prod-berlin.example.net", "prod-oslo.example.net", "prod-berlin → prod-oslo"),
        ("vc.berlin.example.net", "vc.oslo.example.net", "vc.berlin.example.net → vc.oslo"),
        ("dc1.berlin.example.net", "dc1.oslo.example.net", "dc1.berlin.example.net → dc1.oslo"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.1 → 10.0.0.2"),
        (None, "oslo", "vc-1 → Oslo"),
        ("a*b.example.net", "<oslo>", "a\u2217b.example.net → \u2039oslo\u203a"),
    ],
)
def test_sites_are_named_shortly_and_never_alike(
    local: str | None, remote: str, short: str
) -> None:
    card = draw(named_as(local, remote), "card")
    assert card.blocks[0]["text"]["text"].startswith(f"⏳ Break pairing {short}")
    assert problems(card) == []


@pytest.mark.parametrize("shown", [4, 12, 240, 1_000])
def test_every_name_is_a_click_away(shown: int) -> None:
    """Those in recovery plans first, on the card as well."""
    names = [f"vm-{n:04d} {'&' * (80 if shown > 500 else 1)}" for n in range(shown)]
    read = {"count": shown, "protected": 2, "replications": named(*names, protected=2)}
    request = sample(snapshot=SNAPSHOT.model_copy(update=read))
    beside = [b["accessory"] for b in draw(request, "card").blocks if "accessory" in b]
    assert [each["action_id"] for each in beside] == ["unpair_names"] * (shown > 8)
    for each in beside:
        assert each["value"].startswith("K7QM-3XPD:")
        assert each["text"]["text"] == "All names"
    view = names_view(request)
    texts = [block["text"]["text"] for block in view["blocks"]]
    assert len(texts) <= 100
    assert max(map(len, texts)) <= 3_000
    assert len(json.dumps(view)) < 250_000
    lines = "\n".join(texts).split("\n")
    assert lines[:2] == [f"*Lyon → Oslo*: {shown:,} replications.", "*In recovery plans*"]
    assert [line[:7] for line in lines if line.startswith("vm-")] == [n[:7] for n in names]
    assert lines[4] == "*In no recovery plan*"


def test_names_that_are_not_kept_are_counted() -> None:
    read = SNAPSHOT.model_copy(update={"count": 1_200, "complete": False})
    texts = [b["text"]["text"] for b in names_view(sample(snapshot=read))["blocks"]]
    assert "*Others*" in texts[2]
    assert texts[-1] == "and 1,194 more, whose names are not kept here."


def test_one_sign_stands_before_what_should_stop_somebody() -> None:
    """What every one-sided break has, and issues, are only told."""
    quiet = HARD.model_copy(update={"earlier_attention": None})
    read = quiet.snapshot.model_copy(update={"protected": 0}) if quiet.snapshot else None
    assert "⚠️" not in reading(draw(quiet.model_copy(update={"snapshot": read}), "card"))
    assert reading(draw(sample(force=True), "card")).count("⚠️") == 2
    assert "⚠️ Oslo was reachable when this was read." in reading(draw(sample(force=True), "card"))


@pytest.mark.parametrize(
    ("needed", "dry", "words"),
    [
        (1, False, "One approval breaks the pairing at once."),
        (2, False, "The second approval breaks the pairing at once."),
        (9, False, "Approval 9 breaks the pairing at once."),
        (2, True, "The second approval starts the dry run at once."),
    ],
)
def test_what_each_button_does_is_on_the_card(needed: int, dry: bool, words: str) -> None:
    terms = TERMS.model_copy(update={"approvals_required": needed, "dry_run": dry})
    card = " ".join(reading(draw(sample(terms=terms), "card")).split())
    assert (
        f"{words} Before it breaks anything, the bot reads the sites again: if they differ" in card
    )
    assert "Break glass" not in card
    glass = terms.model_copy(update={"break_glass": True})
    assert "*Break glass* is for emergencies" in reading(draw(sample(terms=glass), "card"))


def test_no_replications_have_nothing_to_be_configured_anew() -> None:
    none = SNAPSHOT.model_copy(update={"count": 0, "replications": (), "protected": 0})
    assert "reconfigured" not in reading(draw(sample(snapshot=none), "card"))


def test_a_row_that_was_never_read_is_drawn_all_the_same() -> None:
    drawn = draw(sample(snapshot=None, fingerprint=None), "card")
    assert drawn.text.startswith("⏳ Break pairing oslo\n")
    assert problems(drawn) == []


@pytest.mark.parametrize(
    ("protected", "complete", "words"),
    [
        (0, True, "No replication is in a recovery plan."),
        (
            4,
            True,
            "⚠️ *4 of 12 VMs are in recovery plans*\nIn recovery plans: db-01, db-02, web-01,",
        ),
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
    drawn = draw(sample(snapshot=SNAPSHOT.model_copy(update=read)), "card")
    for text in (drawn.text, "\n".join(list(strings(drawn))[1:])):
        assert words in text


@pytest.mark.parametrize(
    ("count", "anew"),
    [(0, "paired again."), (1, "and its replication reconfigured."), (1_200, "all 1,200 repl")],
)
def test_what_it_would_take_to_have_it_back_is_counted(count: int, anew: str) -> None:
    shown = SNAPSHOT.model_copy(update={"count": count})
    assert anew in " ".join(reading(draw(sample(snapshot=shown), "card")).split())


def test_a_request_that_is_named_is_a_link_to_its_card_where_it_has_one() -> None:
    url, other = "https://ops.slack.com/", sample(id="BBBB-CCCC")
    link = "<https://ops.slack.com/archives/C0PS/p1700000001000100|Open BBBB-CCCC>"
    refused = BY_STATE[State.REFUSED]
    hard = HARD.model_copy(update={"earlier_attention": "BBBB-CCCC"})
    no_card = other.model_copy(update={"card_ts": None})
    for stored, there in ((other, True), (no_card, False), (None, False)):
        card = draw(hard, "card", workspace_url=url, stored=lambda _, found=stored: found)
        answer = draw_answer(
            Answer(event=1, code="refused"), refused, url, lambda _, found=stored: found
        )
        for drawn in (card, answer):
            assert (link in drawn.text) is there, drawn.text
            assert problems(drawn) == []
        assert ("`/vr-unpair status BBBB-CCCC`" in reading(card)) is not there
