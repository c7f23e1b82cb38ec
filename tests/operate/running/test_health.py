"""Readiness."""

from __future__ import annotations

from bot.operate.health import Health


def fails() -> str | None:
    raise OSError("disk is full")


def test_ready_only_when_every_check_is_fine() -> None:
    assert Health({"a": lambda: None}).ready() == (True, {"a": "ok"})
    ready, found = Health({"a": lambda: None, "b": lambda: "away", "c": fails}).ready()
    assert ready is False
    assert found == {"a": "ok", "b": "away", "c": "OSError: disk is full"}
