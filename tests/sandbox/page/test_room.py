"""Nobody waits at the demo for a limit that a real appliance has."""

from __future__ import annotations

from bot.sandbox.page import cast
from bot.sandbox.page.stage import Stage
from bot.sandbox.slack import Ephemeral, LocalSlack

TIMES = 12
"""Looks in a row; by the bot's own limits of a real appliance there is room for about two."""


def test_looks_one_after_the_other_are_all_answered() -> None:
    with Stage() as stage:
        told = [look(stage.slack, number) for number in range(1, TIMES + 1)]
    assert [words for words in told if "nobody was asked" not in words] == []


def look(slack: LocalSlack, number: int) -> str:
    """The preview that comes as the `number`th, behind its acknowledgement."""
    slack.command(cast.RITA.id, "preview vcenter-prague", channel=cast.CHANNELS[cast.CHANNEL])

    def previews() -> list[Ephemeral]:
        return [e for e in slack.ephemerals(cast.RITA.id) if e.via != "ack"]

    slack.wait_for(lambda: len(previews()) == number, 20)
    return previews()[-1].text
