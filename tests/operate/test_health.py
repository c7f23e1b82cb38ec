"""Readiness and metrics."""

from __future__ import annotations

from bot.core.request import State
from bot.operate.health import Health
from bot.operate.metrics import Metrics


def fails() -> str | None:
    raise OSError("disk is full")


def test_ready_only_when_every_check_is_fine() -> None:
    assert Health({"a": lambda: None}).ready() == (True, {"a": "ok"})
    ready, found = Health({"a": lambda: None, "b": lambda: "away", "c": fails}).ready()
    assert ready is False
    assert found == {"a": "ok", "b": "away", "c": "OSError: disk is full"}


def test_metrics_name_every_state_and_what_was_turned_away() -> None:
    metrics = Metrics(lambda: {"pending": 3})
    metrics.rejected("forged")
    text = metrics.text().decode()
    assert 'vr_unpair_requests{state="pending"} 3.0' in text
    for state in State:
        assert f'vr_unpair_requests{{state="{state.value}"}}' in text
    assert 'vr_unpair_slack_requests_rejected_total{why="forged"} 1.0' in text
