"""What people read, and do again where the bot says that it could not take it; and what the log may
say while the database is away."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tests.life.kills.people import Story
from tests.life.replicas.copies import Copies
from tests.support.stage import RITA

NOT_TAKEN = "give reference"
"""Stands in the sentence of a listener that failed, for the log; and in nothing else."""


@dataclass
class Reader(Story):
    """As a Story, before copies that Slack reaches and that do not reach the database."""

    def acts(self) -> None:
        for shown in [e for who in (RITA, *self.presses) for e in self.stage.slack.ephemerals(who)]:
            trigger = shown.trigger_id
            if NOT_TAKEN in shown.text and trigger in self.pressed:
                self.done.discard(self.pressed.pop(trigger))
        super().acts()

    def asks(self) -> None:
        text = f"{self.pairing} we move, CHG0031337"
        said = self.stage.slack.command(RITA, text, channel=self.channel)
        self.asked = said.ok and NOT_TAKEN not in said.text


AWAY = frozenset({"step_failed", "poster_failed", "listener_failed", "database_fault"})
"""Faults of the store that a loop or a listener met; nothing of them is lost."""


def check_log(stage: Copies, allowed: frozenset[str] = AWAY) -> None:
    """Slack took everything, and no copy met a fault of another kind."""
    assert [call for call in stage.slack.calls if call.error] == []
    for bot in stage.lives:
        for line in filter(None, bot.lines):
            assert line.startswith("{"), f"not a log event: {line}"
            event = json.loads(line)
            calm = event["level"] in ("debug", "info", "warning")
            assert calm or event["event"] in allowed, line
