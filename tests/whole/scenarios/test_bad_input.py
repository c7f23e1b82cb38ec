"""Each of these gets a sentence with the next step, and leaves everything as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.sandbox.slack import Ephemeral
from tests.support.stage import RITA, Stage


@pytest.fixture(autouse=True)
def _nothing_pending(shared_stage: Stage) -> Iterator[None]:
    yield
    assert shared_stage.states().keys() <= {"refused"}
    assert shared_stage.appliance.deletes == []
    with shared_stage.slack.workspace.lock:
        assert shared_stage.slack.workspace.messages == {}, "no card, and nothing else"


def stored(stage: Stage) -> int:
    return sum(stage.states().values())


def refusal(stage: Stage, typed: str, code: str, **how: str) -> Ephemeral:
    """The asker's own answer from the check; the row has ended."""
    before = stored(stage)
    asked = stage.asks(typed, **how)
    told = stage.answer(asked.delivery)
    assert (told.user, told.channel) == (RITA, asked.channel)
    assert "*Next:*" in told.text
    assert stored(stage) == before + 1
    (newest,) = stage.console.requests("--limit", "1")
    assert (newest["state"], newest["outcome"]["code"]) == ("refused", code)
    return told


def test_a_part_of_a_name_asks_for_nothing_and_opens_the_form_filled_in(
    shared_stage: Stage,
) -> None:
    stage = shared_stage
    pairing = stage.pairing(local="dublin", remote="dresden")
    told = refusal(stage, "dresde --force it must go", "pairing_none")
    assert len(told.buttons()) <= 5
    (button,) = [b for b in told.buttons() if pairing[:8] in b["text"]["text"]]
    assert button["action_id"].startswith("unpair_suggest")
    before = stored(stage)
    stage.slack.click(RITA, told, button["action_id"])
    view = stage.wait_for_form()
    assert view.block("pairing")["element"]["initial_option"]["value"] == pairing
    assert view.block("force")["element"]["initial_option"]["value"] == "true"
    assert view.block("reason")["element"]["initial_value"] == "it must go"
    stage.slack.close(RITA)
    assert stored(stage) == before


def test_a_channel_that_the_bot_is_not_in(shared_stage: Stage) -> None:
    shared_stage.expected_from_slack.add("not_in_channel")
    channel = shared_stage.channel(bot_is_member=False)
    pairing = shared_stage.pairing()
    told = refusal(shared_stage, f"{pairing} it must go", "card_refused", channel=channel)
    assert "`/invite`" in told.text
