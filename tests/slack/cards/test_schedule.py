"""A time for the delete, as it is typed, and as people read it."""

from __future__ import annotations

import pytest

from bot.request.lookup_results import Home
from bot.request.messages import Answer, Drawn
from bot.request.model import Decision, Notice, Outcome, State
from bot.request.problem import Problem, ProblemKind
from bot.slack.draw.home import home_view, status_list
from bot.slack.draw.markup import when
from bot.slack.draw.message import draw
from bot.slack.draw.words.answers import answer_words
from bot.slack.draw.words.refused import TIMES
from bot.slack.draw.words.states import state_now
from bot.slack.receive.command_text import Ask, Parsed, Preview, Wrong, parse
from tests.slack.cards.samples import FIRST, MINUTE, NOW, SECOND, sample
from tests.slack.cards.slack_checker import elements, problems, reading

AT = NOW + 6 * 60 * MINUTE
TIMED = {"at": "22:00", "zone": "Europe/Berlin", "scheduled_at": AT}
ASKED = sample(**TIMED)
APPROVED = sample(
    **TIMED,
    state=State.APPROVED,
    approvals=(FIRST, SECOND),
    approved_at=NOW + 2 * MINUTE,
    execute_by=AT + 10 * MINUTE,
)
STOPS = (
    "Until the break begins, <@UASKER> can withdraw it, and any approver can deny it, even one "
    "who approved it."
)


def seen(drawn: Drawn) -> str:
    """However it is wrapped."""
    return " ".join(reading(drawn).split())


def read(text: str) -> Parsed:
    return parse(text, command="/vr-unpair")


class TestTyped:
    @pytest.mark.parametrize(
        ("text", "force", "at", "reason"),
        [
            ("oslo --at 22:00 we move", False, "22:00", "we move"),
            ("--at 22:00 oslo we move", False, "22:00", "we move"),
            ("oslo \u2014at 7:05", False, "07:05", ""),
            ("oslo --AT +6H --force gone", True, "+6h", "gone"),
            ("oslo --force --at 2026-12-03T22:00 gone", True, "2026-12-03T22:00", "gone"),
            ("--force --at=22:00 oslo", True, "22:00", ""),
            ("oslo --at 22:00 --at 22:00 twice the same", False, "22:00", "twice the same"),
            ("oslo at last", False, None, "at last"),
            ("oslo 22:00 is too late", False, None, "22:00 is too late"),
            ("oslo @ann says so", False, None, "@ann says so"),
        ],
    )
    def test_taken(self, text: str, force: bool, at: str | None, reason: str) -> None:
        assert read(text) == Ask(pairing="oslo", force=force, at=at, reason=reason)

    @pytest.mark.parametrize(
        "text",
        [
            "oslo --at",
            "oslo --at tonight we move",
            "oslo --at 25:00",
            "oslo --at 22:00 --at 23:00",
            "--at oslo",
            # A time that is overlooked would be a delete at once.
            "oslo we move --at 22:00",
            "oslo we move \u2014at 22:00",
            "oslo at 22:00 we move",
            "oslo AT 2026-12-03T22:00 we move",
            "oslo @22:00 we move",
            "oslo at +6h we move",
        ],
    )
    def test_asked_about(self, text: str) -> None:
        found = read(text)
        assert isinstance(found, Wrong), found
        assert "`--at 22:00`" in found.sentence

    def test_a_preview_has_none(self) -> None:
        assert isinstance(read("preview oslo --at 22:00"), Wrong)
        assert read("preview --force oslo") == Preview(pairing="oslo", force=True)

    def test_an_unknown_flag_names_both(self) -> None:
        found = read("oslo --now please")
        assert isinstance(found, Wrong)
        assert "`--force` and `--at`" in found.sentence


class TestCard:
    def test_it_says_when_in_whose_time_and_how_it_is_stopped(self) -> None:
        words = seen(draw(ASKED, "card"))
        assert "⏰ *Not before:* ⟨04:13⟩ your time (typed: `22:00`" in words
        assert "`Europe/Berlin`" in words
        assert "Once approved, it waits until then" in words
        assert STOPS in words
        assert "*Not before:* ⟨04:13⟩" in seen(draw(ASKED, "card"))

    def test_a_span_has_no_zone(self) -> None:
        words = seen(draw(sample(**{**TIMED, "at": "+6h"}), "card"))
        assert "typed: `+6h`)" in words

    def test_with_the_last_approval_it_waits(self) -> None:
        card = draw(APPROVED, "card")
        assert card.blocks[0]["text"]["text"] == "🔵 Approved, waits until its time"
        assert "*Approved, waits until ⟨04:13⟩.* Approved by" in seen(card)
        assert STOPS in seen(card)
        assert set(elements(card)) == {"unpair_deny", "unpair_cancel"}
        assert f"Approved, waits until ⟨04:13⟩. {STOPS}" in seen(draw(APPROVED, "progress"))

    def test_a_glass_that_was_broken_waits_too(self) -> None:
        glass = Decision(by="UCHIEF", at=NOW, reason="it burns")
        card = draw(APPROVED.model_copy(update={"glass": glass, "approvals": ()}), "card")
        assert card.blocks[0]["text"]["text"] == "🚨 Break glass, waits until its time"
        assert "*Waits until ⟨04:13⟩.*" in seen(card)

    def test_at_its_time_it_waits_for_something_else(self) -> None:
        away = Problem(kind=ProblemKind.UNSENT, text="it is away")
        late = APPROVED.model_copy(update={"time_came": True, "waiting": away})
        card = draw(late, "card")
        assert card.blocks[0]["text"]["text"] == "🔵 Approved: about to be sent"
        assert set(elements(card)) == {"unpair_deny", "unpair_cancel"}
        assert "cannot be sent yet" in state_now(late)

    def test_the_question_says_that_it_waits(self) -> None:
        for request in (ASKED, sample(**TIMED, force=True)):
            question = elements(draw(request, "card"))["unpair_approve"]["confirm"]["text"]["text"]
            assert "Not before the time on the card." in question
            assert question.endswith("This can't be undone.")
            assert problems(draw(request, "card")) == []


def ahead(**notice: object) -> str:
    made = Notice.model_validate({"code": "ahead", "at": AT - 10 * MINUTE, **notice})
    drawn = draw(APPROVED.model_copy(update={"notices": (made,)}), "notice:1")
    assert problems(drawn) == []
    return seen(drawn)


class TestThread:
    def test_ten_minutes_before(self) -> None:
        assert ahead(text="12", who=("UASKER",)) == (
            f"⏰ At ⟨04:13⟩ the delete is sent: *Lyon → Oslo*, "
            f"12 replications now, as it was approved. {STOPS}"
        )

    def test_what_differs_already(self) -> None:
        words = ahead(text="1", lines=("number: was 2, is now 1",), who=("UASKER", "UFIRST"))
        assert words.startswith("⚠️ <@UASKER>, <@UFIRST>: at ⟨04:13⟩ the delete is sent, and")
        assert "1 replication now" in words
        assert "• number: was 2, is now 1" in words
        assert "If that is still so by then, nothing is sent." in words

    def test_an_appliance_that_cannot_be_read_then(self) -> None:
        words = ahead(code="ahead_unread", text="it is away", who=("UASKER",))
        assert "cannot be read now. It is away. It is read again then" in words
        assert "tried for 10 minutes" in words

    def test_a_reminder_names_the_time(self) -> None:
        words = seen(draw(ASKED.model_copy(update={"reminders": 1}), "reminder:1"))
        assert "for a delete not before ⟨04:13⟩" in words

    @pytest.mark.parametrize("known", [True, False])
    def test_a_window_that_was_missed(self, known: bool) -> None:
        away = Problem(kind=ProblemKind.UNSENT, text="it is away") if known else None
        ended = APPROVED.model_copy(
            update={
                "state": State.EXPIRED,
                "outcome": Outcome(code="not_begun", problem=away),
                "ended_at": AT + 10 * MINUTE,
            }
        )
        words = seen(draw(ended, "final"))
        assert "The time that was asked for passed" in words
        assert "It was to be sent at ⟨04:13⟩, or within 10 minutes after that." in words
        assert ("It is away." in words) is known
        assert ("the bot was not running, or held up" in words) is not known


@pytest.mark.parametrize("why", TIMES)
def test_a_time_that_is_not_taken(why: str) -> None:
    outcome = Outcome(code="time_not_taken", lines=(why, "Europe/Berlin"))
    refused = sample(**TIMED, state=State.REFUSED, card_ts=None, outcome=outcome)
    words = answer_words(Answer(event=1, code="refused"), refused)
    assert TIMES[why][0] in words
    assert "Asked for: `22:00`, in the time zone `Europe/Berlin`." in words
    assert "*Next:* Ask again" in words


def test_lists_name_the_time() -> None:
    for request, says in (
        (APPROVED, f"is approved, and waits until {when(AT)}"),
        (ASKED, f"not before {when(AT)}"),
    ):
        listed = status_list([request], [], workspace_url=None, command="/vr-unpair")
        view = home_view(
            Home(running=(request,)), workspace_url=None, command="/vr-unpair", now=NOW
        )
        for words in (str(listed.blocks), str(view)):
            assert words.count(str(AT // 1000)) == 1
            assert says in words
    assert f"waits until {when(AT)}. Approved by" in state_now(APPROVED)
