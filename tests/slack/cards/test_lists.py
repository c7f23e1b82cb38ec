"""The Home tab and `status`: within Slack's limits with hundreds of requests, links to the cards,
no button, what is unresolved first. How they read is in words.md beside it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given

from bot.request.lookup_results import Home, HomeRead, ListedPairing, PairingsListed, sort_home
from bot.request.model import Request, State
from bot.request.pairing import Pairing, Server
from bot.slack.draw.limits import HOME_LISTED
from bot.slack.draw.pairing_lists import pairings_list
from bot.slack.draw.request_lists import home_view, status_list
from sandbox.slack.block_limits import check_home
from tests.slack.cards.hostile import FOREIGN
from tests.slack.cards.samples import BY_STATE, FIRST, NOW, sample
from tests.slack.cards.shown import changed
from tests.slack.cards.slack_checker import calls, problems, reading, strings

URL = "https://ops.slack.com/"
UNCLEAR = BY_STATE[State.ATTENTION]
SETTLED = changed(UNCLEAR, settled=FIRST)


def shown(home: HomeRead) -> str:
    view = home_view(home, workspace_url=URL, command="/vr-unpair", now=NOW)
    assert check_home(view) == []
    assert not [b for b in view["blocks"] if b["type"] in ("actions", "input")]
    return "\n".join(strings(view["blocks"]))


def status(ended: Request, *unresolved: Request) -> str:
    opened = [BY_STATE[State.PENDING]]
    drawn = status_list(opened, [ended], unresolved, workspace_url=None, command="/vr-unpair")
    assert problems(drawn) == []
    return reading(drawn)


def test_hundreds_are_counted_and_fit() -> None:
    many = tuple(sample(id=f"R{n}", reason="x" * 3000, asked="y" * 300) for n in range(400))
    home = Home(waiting=many, asked=many, running=many, others=many, ended=many)
    assert shown(home).count(f"{400 - HOME_LISTED} more") == 5
    drawn = status_list(many, many, many, workspace_url=URL, command="/vr-unpair")
    assert problems(drawn) == []


@pytest.mark.parametrize("sites", [1, 2, 9, 30, 70])
@pytest.mark.parametrize("name", ["vcenter-{}.example.com", "&" * 60 + "{}"])
def test_a_list_of_many_pairings_is_read_and_says_what_it_leaves_out(sites: int, name: str) -> None:
    """What Slack refuses nobody reads. What is not in order comes first, and each appliance is
    named."""
    read = [
        PairingsListed(
            site=f"site-{n}",
            pairings=tuple(
                ListedPairing(
                    pairing=Pairing(
                        id=f"0b7ff9a4-1d2e-4f5a-8a51-{n:06}{m:06}",
                        local_vc=Server(id=f"l{n}", name=name.format(n), status="OK"),
                        remote_vc=Server(id=f"r{m}", name=name.format(m), status="OK"),
                    ),
                    replications=m,
                )
                for m in range(40)
            ),
            read_at=NOW,
        )
        for n in range(sites)
    ]
    drawn = pairings_list(read, [], "/vr-unpair")
    assert problems(drawn) == []
    said = "\n".join(list(strings(drawn))[1:])
    left = sum(int(number) for number in re.findall(r"^and (\d+) more: `/vr-unpair`", said, re.M))
    if sites <= 30:
        assert all(f"`site-{n}`, read" in said for n in range(sites)) or sites == 1
        assert said.count("🟢") + left == 40 * sites
        assert said.count("🟢") >= 15 or sites == 30
    else:
        assert " more parts." in said


@given(FOREIGN)
def test_foreign_words_call_nobody(text: str) -> None:
    said = shown(Home(asked=(sample(asked=text, snapshot=None),)))
    assert calls(said) == {"UASKER"}
    assert "<!channel" not in said


def test_what_is_unresolved_stands_first_and_once_until_it_is_settled() -> None:
    assert status(UNCLEAR, UNCLEAR).startswith("# Outcome unknown")
    assert status(UNCLEAR, UNCLEAR).count("has no confirmed outcome") == 1
    assert status(SETTLED).startswith("# 1 open request")
    assert status(SETTLED).count("has no confirmed outcome") == 1
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
    assert shown(home).startswith("Outcome unknown")
