"""No card for a while: whoever asked hears of it, and is not left to guess."""

from __future__ import annotations

from bot.sandbox.appliance import Answer
from tests.support.clock import PATIENCE_SECONDS
from tests.support.stage import RITA, Stage
from tests.whole.scenarios.conftest import NewStage


def told(stage: Stage, words: str) -> str:
    said = stage.slack.wait_for_ephemeral(
        RITA, lambda e: words in e.text, timeout_seconds=PATIENCE_SECONDS
    )
    return said.text


def test_a_first_reading_that_takes_more_than_ten_seconds(new_stage: NewStage) -> None:
    stage = new_stage(VR_TIMEOUT_SECONDS="30")
    pairing = stage.pairing()
    stage.appliance.fail("GET", "/pairings", Answer(wire="hang"), times=1)
    asked = stage.asks(f"{pairing} it must go")
    assert "Do not ask again." in told(stage, "Still reading")
    assert stage.slack.messages(asked.channel) == []
    stage.appliance.release_hanging()
    asked.wait_for_card()
