"""The home tab: within Slack's limits with hundreds of requests, links to the cards, no button."""

from __future__ import annotations

import pytest
from hypothesis import given

from bot.request.lookup_results import Home, HomeRead, LookFailed, MayNotLook
from bot.request.model import State
from bot.request.who_may import Reason
from bot.sandbox.slack.block_limits import check_home
from bot.slack.draw import home as words
from bot.slack.draw.buttons import card_url
from bot.slack.draw.home import SHOWN, home_view
from tests.slack.cards.hostile import FOREIGN
from tests.slack.cards.samples import BY_STATE, NOW, sample
from tests.slack.cards.slack_checker import calls, strings

URL = "https://ops.slack.com/"


def shown(home: HomeRead, url: str | None = URL) -> str:
    view = home_view(home, workspace_url=url, command="/vr-unpair", now=NOW)
    assert check_home(view) == []
    assert not [b for b in view["blocks"] if b["type"] in ("actions", "input")]
    return "\n".join(strings(view["blocks"]))


def test_nothing_at_all() -> None:
    text = shown(Home())
    assert words.NOTHING_WAITS in text
    for title in (words.ASKED, words.RUNNING, words.OTHERS, words.ENDED):
        assert title not in text


@pytest.mark.parametrize("state", State)
def test_a_line_in_each_state(state: State) -> None:
    request = BY_STATE[state]
    text = shown(Home(asked=(request,)))
    assert request.id in text
    assert request.title in text
    assert ("|Open K7QM-3XPD>" in text) == (request.card_ts is not None)
    assert request.card_ts is None or f"<{card_url(request, URL)}|" in text


def test_one_that_was_turned_down_for_another_says_so() -> None:
    assert "was rejected: another request is open" in shown(Home(ended=(BY_STATE[State.REFUSED],)))


def test_the_link_is_the_one_of_copy_link() -> None:
    request = sample(channel="C0PS", card_ts="1700000001.000100")
    assert card_url(request, URL) == "https://ops.slack.com/archives/C0PS/p1700000001000100"
    assert card_url(request, None) is None
    assert card_url(sample(card_ts=None), URL) is None
    assert "|Open K7QM-3XPD>" not in shown(Home(asked=(request,)), url=None)


def test_hundreds_are_counted_and_fit() -> None:
    many = tuple(sample(id=f"R{n}", reason="x" * 3000, asked="y" * 300) for n in range(400))
    home = Home(waiting=many, asked=many, running=many, others=many, ended=many)
    assert shown(home).count(f"{400 - SHOWN} more") == 5


def test_what_slack_did_not_tell_is_said() -> None:
    assert words.RIGHTS_UNREAD in shown(Home(rights_unread=True))
    assert words.NOTHING_WAITS not in shown(Home(rights_unread=True))


def test_a_guest_reads_why() -> None:
    assert "guest" in shown(MayNotLook(reason=Reason.GUEST)).lower()


def test_a_fault_of_ours_is_told_with_its_reference() -> None:
    assert "give reference R-1" in shown(LookFailed(reference="R-1"))


@given(FOREIGN)
def test_foreign_words_call_nobody(text: str) -> None:
    said = shown(Home(asked=(sample(asked=text, snapshot=None),)))
    assert calls(said) == {"UASKER"}
    assert "<!channel" not in said
