"""No card for a while: whoever asked hears of it, and is not left to guess."""

from __future__ import annotations

from bot.sandbox.appliance import Answer
from tests.support.asked import PATIENCE_SECONDS
from tests.support.bot_on_stage import RITA, World
from tests.whole.scenarios.conftest import Stage


def told(world: World, words: str) -> str:
    said = world.slack.wait_for_ephemeral(
        RITA, lambda e: words in e.text, timeout_seconds=PATIENCE_SECONDS
    )
    return said.text


def test_a_first_reading_that_takes_more_than_ten_seconds(stage: Stage) -> None:
    world = stage(VR_TIMEOUT_SECONDS="30")
    pairing = world.pairing()
    world.appliance.fail("GET", "/pairings", Answer(wire="hang"), times=1)
    asked = world.asks(f"{pairing} it must go")
    assert "Do not ask again." in told(world, "Still reading")
    assert world.slack.messages(asked.channel) == []
    world.appliance.release_hanging()
    asked.wait_for_card()


def test_an_appliance_that_is_away(world: World) -> None:
    pairing = world.pairing()
    world.appliance.refuse_connections()
    asked = world.asks(f"{pairing} it must go")
    assert "It is tried again until" in told(world, "waits: the appliance cannot be read.")
    world.appliance.refuse_connections(False)
    asked.wait_for_card()
    assert len(world.answers(asked.delivery)) == 2, "the acknowledgement, and this"
