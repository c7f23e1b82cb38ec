"""What the log may say while the database is away."""

from __future__ import annotations

import json

from tests.life.replicas.copies import Copies

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
