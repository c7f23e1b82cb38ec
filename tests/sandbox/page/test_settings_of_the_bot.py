"""The demo's switches that restart the bot, and what the board says of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from bot.settings.names import SECRETS
from sandbox.page.page_server import Page
from sandbox.page.stage import ALAN, ANNA, BOT_CALLS, CHANNEL, CHANNELS, OSLO, RITA, Stage
from sandbox.slack import Ephemeral, Message
from tests.support.forked.process import ForkedBot

PATIENCE_SECONDS = 60.0
QUICK = {"VR_POLL_SECONDS": "0.5"}
DROPS = CHANNELS[CHANNEL]

Act = Callable[..., None]


class QuickStage(Stage):
    process = ForkedBot


@pytest.fixture
def stage() -> Iterator[Stage]:
    with QuickStage(task_seconds=0.5, more=QUICK) as entered:
        yield entered


@pytest.fixture
def page(stage: Stage) -> Iterator[Page]:
    with Page(stage) as served:
        yield served


@pytest.fixture
def act(page: Page) -> Act:
    """Does it, and nothing goes wrong."""

    def one(**body: str) -> None:
        answer = requests.post(f"{page.url}act", json=body, timeout=60)
        assert (answer.status_code, answer.json()["wrong"]) == (200, False), answer.text

    return one


def board(page: Page) -> dict[str, Any]:
    with requests.get(f"{page.url}live?me={RITA.id}", stream=True, timeout=60) as stream:
        lines = stream.iter_lines(decode_unicode=True)
        assert "event: board" in lines
        found: dict[str, Any] = json.loads(next(lines).removeprefix("data: "))
    return found


def asks(stage: Stage, text: str) -> Message:
    before = {message.ts for message in stage.slack.messages(DROPS)}
    assert stage.slack.command(RITA.id, text, channel=DROPS).ok
    return stage.slack.wait_for_message(
        DROPS,
        lambda m: m.ts not in before and m.button("unpair_approve") is not None,
        timeout_seconds=PATIENCE_SECONDS,
    )


def newest(page: Page, stage: Stage, state: str) -> dict[str, Any]:
    """The newest request on the board, once it is in this state."""

    def look() -> dict[str, Any] | None:
        request: dict[str, Any] = board(page)["requests"][0]
        return request if request["state"] == state else None

    found = stage.slack.wait_for(look, PATIENCE_SECONDS)
    assert found is not None
    return found


def test_a_dry_run_and_then_for_real(stage: Stage, page: Page, act: Act) -> None:
    act(do="switch", name="dry", value="on")
    card = asks(stage, "vcenter-prague moving")
    assert "Dry run" in card.all_text
    assert stage.slack.click(ALAN.id, card, "unpair_approve").ok
    rehearsed = newest(page, stage, "rehearsed")
    assert (rehearsed["deletes"], rehearsed["ended"]) == ({"sent": 0, "accepted": 0}, True)
    act(do="switch", name="dry", value="")
    card = asks(stage, "vcenter-prague moving")
    assert stage.slack.click(ALAN.id, card, "unpair_approve").ok
    succeeded = newest(page, stage, "succeeded")
    assert succeeded["deletes"] == {"sent": 1, "accepted": 1}
    # Each DELETE belongs to one request, the same pairing or not.
    assert board(page)["requests"][1]["deletes"] == {"sent": 0, "accepted": 0}


def test_nobody_waits_for_a_limit_that_a_real_appliance_has(stage: Stage) -> None:
    """By that there would be room for about two looks in a row."""

    def previews() -> list[Ephemeral]:
        return [e for e in stage.slack.ephemerals(RITA.id) if e.via != "ack"]

    for number in range(1, 13):
        stage.slack.command(RITA.id, "preview vcenter-prague", channel=DROPS)
        stage.slack.wait_for(lambda number=number: len(previews()) == number, PATIENCE_SECONDS)
    assert [e.text for e in previews() if "12 replications" not in e.text] == []


def test_two_appliances(stage: Stage, page: Page, act: Act) -> None:
    assert "Other appliance" not in [label for label, _ in board(page)["examples"]]
    act(do="switch", name="known", value="two")
    (text,) = [text for label, text in board(page)["examples"] if label == "Other appliance"]
    card = asks(stage, text.removeprefix("/vr-unpair "))
    assert stage.slack.click(ALAN.id, card, "unpair_approve").ok
    newest(page, stage, "succeeded")
    assert len(stage.appliances[OSLO].accepted_deletes) == 1
    assert stage.appliance.deletes == []
    sent = [call for call in board(page)["calls"] if call["unpair"]]
    assert [call["method"] for call in sent] == ["oslo DELETE"]


def test_two_pools_of_approvers(stage: Stage, page: Page, act: Act) -> None:
    act(do="switch", name="pools", value="two")
    card = asks(stage, "vcenter-prague moving")
    assert "`security`: 0 of 1" in card.all_text
    for who in (ALAN, ANNA):
        assert stage.slack.click(who.id, card, "unpair_approve").ok
    newest(page, stage, "succeeded")
    act(do="switch", name="pools", value="one")
    assert "`security`" not in asks(stage, "vcenter-helsinki closing").all_text


def test_every_setting_that_is_not_the_default_is_named(stage: Stage, page: Page, act: Act) -> None:
    """Against what the bot's process has got: only how to reach and trust the two servers, which
    every bot needs, and what a process of its own needs are not named."""
    act(do="switch", name="ttl", value="short")
    named = {name: (value, default) for name, value, default in board(page)["settings"]}
    needed = {"HOST", "USERNAME", "PASSWORD", "CA_FILE"}
    of_site = "VR_SITES__BERLIN__"
    given = {
        name.replace(of_site, "VR_")
        for name in stage.bot.environment
        if name.startswith(("SLACK_", "VR_")) or name in {*named, "APPROVAL_TTL", "DRY_RUN"}
        if name not in SECRETS and name.removeprefix(of_site) not in needed
    }
    assert set(named) == given - {"SLACK_API_URL"}
    assert named["APPROVAL_TTL"] == ("20s", "1h")
    assert named["VR_CALLS_PER_MINUTE"] == (str(BOT_CALLS), "40")
