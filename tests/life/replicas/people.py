"""People who read what the bot tells them, and do again what it says it could not take."""

from __future__ import annotations

from dataclasses import dataclass

from tests.life.kills.people import Story
from tests.support.stage import RITA

NOT_TAKEN = "give reference"
"""Stands in the sentence of a listener that failed, for the log; and in nothing else."""


@dataclass
class Reader(Story):
    """As a Story, before copies that Slack reaches and that do not reach the database."""

    def acts(self) -> None:
        for shown in [e for who in (RITA, *self.presses) for e in self.stage.slack.ephemerals(who)]:
            trigger = shown.answers.trigger_id if shown.answers else ""
            if NOT_TAKEN in shown.text and trigger in self.pressed:
                self.done.discard(self.pressed.pop(trigger))
        super().acts()

    def asks(self) -> None:
        text = f"{self.pairing} we move, CHG0031337"
        said = self.stage.slack.command(RITA, text, channel=self.channel)
        self.asked = said.ok and NOT_TAKEN not in said.text
