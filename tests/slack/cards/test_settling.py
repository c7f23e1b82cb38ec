"""What is unresolved, first in each list, and the button that settles it."""

from __future__ import annotations

from bot.request.lookup_results import Home, sort_home
from bot.request.model import Decision, Notice, State
from bot.slack.draw.forms import reason_form
from bot.slack.draw.home import home_view, status_list
from bot.slack.draw.ids import ReasonOrigin
from bot.slack.draw.message import draw
from tests.slack.cards.samples import BY_STATE, NOW
from tests.slack.cards.slack_checker import elements, problems, reading

UNCLEAR = BY_STATE[State.ATTENTION]
SETTLED = UNCLEAR.model_copy(
    update={
        "settled": Decision(by="UFIRST", at=NOW, reason="done *by hand*"),
        "notices": (Notice(code="settled", at=NOW, text="done *by hand*", who=("UFIRST",)),),
    }
)


def test_the_button_stands_beside_look_again_until_then() -> None:
    assert set(elements(draw(UNCLEAR, "final"))) == {"unpair_look", "unpair_settle"}
    assert set(elements(draw(SETTLED, "final"))) == {"unpair_look"}
    assert problems(draw(UNCLEAR, "final")) == []


def test_the_thread_is_told_with_the_words() -> None:
    words = reading(draw(SETTLED, "notice:1"))
    assert words.startswith("☑️ <@UFIRST> says that this is settled")
    assert "```\ndone *by hand*\n```" in draw(SETTLED, "notice:1").text


def test_what_a_look_found_is_told_in_words() -> None:
    looked = Notice(code="looked", at=NOW, text="look_running", who=("UFIRST",))
    words = reading(draw(UNCLEAR.model_copy(update={"notices": (looked,)}), "notice:1"))
    assert words.startswith("<@UFIRST> looked again")
    assert words.endswith("the task is still at work.")


def test_it_stands_first_in_each_list() -> None:
    pending = BY_STATE[State.PENDING]
    listed = reading(
        status_list([pending], [UNCLEAR], [UNCLEAR], workspace_url=None, command="/vr-unpair")
    )
    assert listed.startswith("# Outcome unknown")
    assert listed.count("has no confirmed outcome") == 1
    settled = reading(status_list([pending], [SETTLED], workspace_url=None, command="/vr-unpair"))
    assert settled.startswith("# 1 open request")
    assert "# Ended recently" in settled
    home = sort_home(
        UNCLEAR.requester,
        unfinished=[],
        asked=[UNCLEAR],
        ended=[UNCLEAR],
        unresolved=[UNCLEAR],
        may_decide=False,
        may_break_glass=False,
        rights_unread=False,
    )
    assert home == Home(unresolved=(UNCLEAR,))
    view = home_view(home, workspace_url=None, command="/vr-unpair", now=NOW)
    assert view["blocks"][0]["text"]["text"] == "Outcome unknown"


def test_the_form_has_the_names_of_the_contract() -> None:
    origin = ReasonOrigin(
        request_id=UNCLEAR.id,
        fingerprint="f",
        channel="C1",
        message_ts="1.0",
        opened_by=1,
        ours=True,
    )
    view = reason_form("settle", origin, UNCLEAR)
    assert view["callback_id"] == "unpair_settle_words"
    (field,) = [block for block in view["blocks"] if block["type"] == "input"]
    assert (field["block_id"], field["element"]["action_id"]) == ("words", "value")
    assert not field.get("optional")
