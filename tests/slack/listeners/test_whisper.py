"""Sentences behind a listener's back: never blocking, and ending with the process."""

from __future__ import annotations

import time

import pytest

from bot.slack.send.one_message import WAITING_MOST, Whisper
from tests.slack.listeners.fake_web_api import PATIENCE_SECONDS, Answer, FakeWebApi, limited


def test_a_failure_is_logged_and_the_next_goes_out(
    api: FakeWebApi, whisper: Whisper, capsys: pytest.CaptureFixture[str]
) -> None:
    api.script("response", Answer(status=404))
    for words in ("one", "two"):
        whisper.tell(api.response_url("secret"), words)
    whisper.tell(None, "to nobody")
    assert [c.body["text"] for c in api.wait_for("response", 2)] == ["one", "two"]
    assert whisper.stop(PATIENCE_SECONDS)
    logged = capsys.readouterr().out
    assert "whisper_failed" in logged
    assert "secret" not in logged
    whisper.tell(api.response_url(), "after the end")
    assert len(api.calls) == 2


def test_a_crowd_is_dropped_and_never_blocks(
    api: FakeWebApi,
    whisper: Whisper,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And a stop waits no longer than it may; then for the call in hand, and for no other."""
    monkeypatch.setattr("bot.slack.send.one_message.TIMEOUT_S", 60)
    api.script("response", Answer(hang=True))
    started = time.monotonic()
    for _ in range(WAITING_MOST + 20):
        whisper.tell(api.response_url(), "x")
    assert time.monotonic() - started < 1
    api.wait_for("response")
    assert not whisper.stop(0)
    assert not whisper.stop(0)
    api.release()
    assert whisper.stop(PATIENCE_SECONDS)
    assert len(api.of("response")) == 1
    assert "whisper_dropped" in capsys.readouterr().out


def test_it_waits_as_long_as_slack_asks(api: FakeWebApi, whisper: Whisper) -> None:
    api.script("response", limited(1))
    whisper.tell(api.response_url(), "one")
    api.wait_for("response", 1)
    refused = time.monotonic()
    whisper.tell(api.response_url(), "two")
    assert [c.body["text"] for c in api.wait_for("response", 3)] == ["one", "one", "two"]
    assert time.monotonic() - refused > 0.9
