"""Break glass, as the channel sees it: the button, the form, the alarm, the card, the end."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from bot.request.messages import Answer
from bot.request.model import Decision, Notice, Request, State
from bot.request.who_may import Reason
from bot.slack.draw.forms import WithReason, reason_form
from bot.slack.draw.message import draw, draw_answer
from bot.slack.draw.words.rights import may_not_break
from bot.slack.receive.buttons import ReasonSent, read_reason
from tests.slack.cards.hostile import PIECES
from tests.slack.cards.samples import FIRST, MINUTE, NOW, TERMS, decided, sample, sent
from tests.slack.cards.slack_checker import calls, elements, problems, reading, strings, wrapped
from tests.slack.cards.test_ids import ORIGIN

WITH_GLASS = TERMS.model_copy(update={"break_glass": True})
GLASS = Decision(by="UCHIEF", at=NOW + MINUTE, reason="Oslo burns\nCHG? later")
APPROVERS = ("UANN", "WBEN", "SLEADS")
BROKEN = Notice(code="glass_broken", at=NOW, text="Oslo burns", who=("UCHIEF",), called=APPROVERS)


def broken(**changes: object) -> Request:
    plain = {"terms": WITH_GLASS, "glass": GLASS, "notices": (BROKEN,), "state": State.APPROVED}
    return sample(**{**plain, **changes})


def alarm(request: Request) -> str:
    drawn = draw(request, "alarm:1")
    assert problems(drawn) == []
    return reading(drawn)


def test_the_button_is_there_only_where_it_is_set_and_is_not_approve() -> None:
    assert "unpair_break_glass" not in elements(draw(sample(), "card"))
    found = elements(draw(sample(terms=WITH_GLASS), "card"))
    assert list(found) == ["unpair_approve", "unpair_deny", "unpair_cancel", "unpair_break_glass"]
    button = found["unpair_break_glass"]
    assert "style" not in button, "no red beside a red Approve"
    assert button["text"]["text"] == "Break glass"
    assert button["value"] == found["unpair_approve"]["value"]
    assert "confirm" not in button, "its form asks"
    assert "unpair_break_glass" not in elements(draw(broken(), "card"))


def test_with_too_few_approvers_it_stands_in_the_place_of_approve() -> None:
    card = draw(sample(terms=WITH_GLASS, only_glass=True), "card")
    assert list(elements(card)) == ["unpair_deny", "unpair_cancel", "unpair_break_glass"]
    for text in (card.text, "\n".join(list(strings(card))[1:])):
        assert "too few people who could approve this, so only *Break glass* is left" in text
    ended = draw(sample(terms=WITH_GLASS, only_glass=True, state=State.EXPIRED), "card")
    assert "too few people" not in reading(ended)


def test_the_card_and_the_final_reply_say_those_words_who_and_why() -> None:
    final = draw(decided(State.SUCCEEDED, "proved", terms=WITH_GLASS, glass=GLASS), "final")
    for drawn in (draw(broken(), "card"), final):
        said = "\n".join(list(strings(drawn))[1:])
        assert "*Break glass:* <@UCHIEF> decided alone" in said
        assert "```\nOslo burns\nCHG? later\n```" in said
        assert "reak glass" in drawn.text
        assert "UCHIEF" in calls(drawn.text)
    assert "decided alone by <@UCHIEF> (break glass)" in final.text
    assert {"UASKER", "UCHIEF"} <= calls(final.text)


@pytest.mark.parametrize("approvals", [(), (FIRST,)])
def test_what_one_person_decided_alone_is_not_called_approved(
    approvals: tuple[Decision, ...],
) -> None:
    for state, how in (
        (State.APPROVED, "about to be sent"),
        (State.DELETING, "under way"),
        (State.FOLLOWING, "under way"),
    ):
        request = broken(state=state, approvals=approvals)
        card = draw(request, "card")
        assert reading(card).startswith(f"# 🚨 Break glass: {how}\n")
        assert card.text.startswith(f"🚨 Break glass: {how}")
        assert "*Break glass:* <@UCHIEF> decided alone" in reading(card)
        assert f"*Approvals:* {len(approvals)} of 2" in reading(card)
    assert draw(broken(), "progress").text.startswith("🚨 Break glass. Reading rights")


def test_the_own_request_is_said_to_be_one() -> None:
    own = GLASS.model_copy(update={"by": "UASKER"})
    notice = BROKEN.model_copy(update={"who": ("UASKER",)})
    request = broken(glass=own, notices=(notice,))
    assert "<@UASKER>, who also asked for it, decided alone" in reading(draw(request, "card"))
    assert "decided alone on their own request" in alarm(request)


def test_a_right_that_was_lost_is_said_on_the_card_and_in_the_thread() -> None:
    lost = Notice(code="glass_lost", at=NOW, who=("UCHIEF",))
    request = sample(terms=WITH_GLASS, glass_lost=GLASS, notices=(BROKEN, lost))
    card = draw(request, "card")
    assert "no longer counts: the right to it is gone" in reading(card)
    assert "no longer counts" in card.text
    assert "unpair_break_glass" in elements(card)
    assert "waits for a decision again" in draw(request, "notice:2").text


def test_the_alarm() -> None:
    assert alarm(broken()).split("\n") == snapshot(
        [
            "🚨 *Break glass:* <@UCHIEF> has decided alone on the request of <@UASKER>:",
            "Where: Lyon's appliance, in *production*",
            "*Lyon → Oslo*: 12 replications.",
            "4 of 12 VMs are in recovery plans.",
            "Both sites drop the pairing.",
            "This can't be undone. The sites would have to be paired again and all 12",
            "replications reconfigured.",
            "*Why:*",
            "```",
            "Oslo burns",
            "```",
            "Until it is sent, <@UASKER> can withdraw it on the card.",
            "---",
            "*Approvers, this did not wait for all of you:* <@UANN>, <@WBEN>, <!subteam^SLEADS>",
        ]
    )
    text = draw(broken(), "alarm:1").text
    assert set(APPROVERS) <= calls(text)
    assert "Oslo burns" in text


TOLD = BROKEN.model_copy(update={"told": ("UANN",), "unread": ("SLEADS",)})


def test_an_approver_is_told_alone_and_understands_it_without_the_channel() -> None:
    request = broken(notices=(TOLD,))
    drawn = draw(request, "told:UANN:1", workspace_url="https://ops.slack.test/")
    assert problems(drawn) == []
    for text in (drawn.text, reading(drawn)):
        for words in ("<@UCHIEF> has decided alone", "Oslo burns", "Lyon → Oslo"):
            assert words in text
        assert "<https://ops.slack.test/archives/C0PS/p1700000001000100|Open K7QM-3XPD>" in text
        assert "K7QM-3XPD" in text
    assert calls(drawn.text) == {"UCHIEF", "UASKER"}
    assert "|Open" not in draw(request, "told:UANN:1").text


def test_the_alarm_names_the_groups_whose_people_could_not_be_told() -> None:
    said = alarm(broken(notices=(TOLD,)))
    assert "Slack did not say who is in <!subteam^SLEADS>" in said.replace("\n", " ")
    assert "Slack did not say" not in alarm(broken())


def test_what_an_approver_was_told_never_changes_afterwards() -> None:
    plain = {"terms": WITH_GLASS, "glass": GLASS, "notices": (TOLD,)}
    later = decided(State.SUCCEEDED, "proved", **plain)
    assert draw(later, "told:UANN:1").digest == draw(broken(notices=(TOLD,)), "told:UANN:1").digest


def test_the_alarm_of_a_dry_run_is_a_rehearsal() -> None:
    dry = broken(terms=WITH_GLASS.model_copy(update={"dry_run": True}))
    assert "This is a rehearsal" in alarm(dry)
    assert "nothing will be deleted" in alarm(dry)
    assert "can't be undone" not in alarm(dry)


@pytest.mark.parametrize("piece", PIECES)
def test_every_approver_is_called_whatever_the_reason_is_made_of(piece: str) -> None:
    """300 of them, in a message that Slack takes and that calls nobody else."""
    many = tuple(f"U{n:010}" for n in range(300))
    long = (piece * 2_000)[:2_000]
    request = broken(notices=(BROKEN.model_copy(update={"called": many, "text": long}),))
    drawn = draw(request, "alarm:1")
    assert problems(drawn) == []
    in_blocks = calls("\n".join(list(strings(drawn))[1:]))
    assert in_blocks == {*many, "UASKER", "UCHIEF"}


def test_the_alarm_never_changes_afterwards() -> None:
    """Otherwise everybody would see an edit of it."""
    later = decided(
        State.SUCCEEDED, "proved", terms=WITH_GLASS, glass=GLASS, notices=(BROKEN, BROKEN)
    )
    assert draw(later, "alarm:1").digest == draw(broken(), "alarm:1").digest


# ---- the form --------------------------------------------------------------------------------


def test_the_form_says_plainly_what_it_does() -> None:
    view = reason_form("break_glass", ORIGIN, sample(terms=WITH_GLASS, force=True))
    assert view["callback_id"] == "unpair_break_glass_reason"
    assert view["private_metadata"] == ORIGIN.pack()
    for key in ("title", "submit", "close"):
        assert 1 <= len(view[key]["text"]) <= 24
    told, field = view["blocks"]
    assert wrapped(told["text"]["text"]).split("\n") == snapshot(
        [
            "🚨 *You decide alone.* Nobody else has to approve, and everybody is told: the",
            "channel, every approver by a direct message, and the audit trail.",
            "*Lyon → Oslo*: 12 replications, one-sided.",
            "4 of 12 VMs are in recovery plans.",
            "Only Lyon drops the pairing; Oslo keeps its half.",
            "This can't be undone. The sites would have to be paired again and all 12",
            "replications reconfigured.",
            "Asked by <@UASKER>.",
        ]
    )
    assert (field["block_id"], field["element"]["action_id"]) == ("reason", "value")
    assert not field.get("optional")


def test_the_form_of_a_dry_run() -> None:
    dry = WITH_GLASS.model_copy(update={"dry_run": True})
    told, _ = reason_form("break_glass", ORIGIN, sample(terms=dry))["blocks"]
    assert "nothing will be deleted" in told["text"]["text"]


@pytest.mark.parametrize("form", ["deny", "break_glass"])
@pytest.mark.parametrize("read_as", ["deny", "break_glass"])
def test_one_form_is_never_read_as_the_other(form: WithReason, read_as: WithReason) -> None:
    values = {"reason": {"value": {"type": "plain_text_input", "value": " it burns "}}}
    view = {**reason_form(form, ORIGIN, sample()), "state": {"values": values}}
    expected = ReasonSent(opened=ORIGIN, reason="it burns") if form == read_as else None
    assert read_reason(sent(view), read_as) == expected


def test_nothing_is_no_reason() -> None:
    values = {"reason": {"value": {"type": "plain_text_input", "value": " \n\u2060"}}}
    view = {**reason_form("break_glass", ORIGIN, sample()), "state": {"values": values}}
    found = read_reason(sent(view), "break_glass")
    assert isinstance(found, str)
    assert "cannot wait" in found


# ---- words for one ---------------------------------------------------------------------------


def test_whoever_broke_it_is_told_what_comes() -> None:
    answer = Answer(event=1, code="glass_broken")
    assert "then the delete is sent" in draw_answer(answer, broken()).text
    dry = broken(terms=WITH_GLASS.model_copy(update={"dry_run": True}))
    assert "nothing will be deleted" in draw_answer(answer, dry).text


@pytest.mark.parametrize("reason", [r for r in Reason if r not in (Reason.YES, Reason.OWN_REQUEST)])
def test_who_may_not_is_told_why_and_what_to_do(reason: Reason) -> None:
    words = may_not_break(reason, sample(), str(NOW))
    unread = reason in (Reason.UNREADABLE, Reason.GROUP_UNREADABLE)
    assert ("Press again after <!date^" in words) is unread
    assert unread or "must press the button" in words
