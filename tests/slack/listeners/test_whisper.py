"""Sentences behind a listener's back: never blocking, and ending with the process."""

from __future__ import annotations

import time

import pytest

from bot.slack.send.whisper import WAITING_MOST, Whisper
from tests.slack.listeners.fake_web_api import PATIENCE_SECONDS, Answer, FakeWebApi, limited
from tests.slack.listeners.fakes import FakePauses

API = "http://127.0.0.1/api/"


def test_no_address_is_no_thread() -> None:
    whisper = Whisper(FakePauses(), API)
    whisper.tell(None, "x")
    whisper.tell("", "x")
    assert whisper._thread is None
    whisper.stop(PATIENCE_SECONDS)


def test_a_failure_is_logged_and_the_next_goes_out(
    api: FakeWebApi, capsys: pytest.CaptureFixture[str]
) -> None:
    api.script("response", Answer(status=404))
    whisper = Whisper(FakePauses(), API)
    whisper.tell(api.response_url("secret"), "one")
    whisper.tell(api.response_url("secret"), "two")
    assert [c.body["text"] for c in api.wait_for("response", 2)] == ["one", "two"]
    whisper.stop(PATIENCE_SECONDS)
    logged = capsys.readouterr().out
    assert "whisper_failed" in logged
    assert "secret" not in logged


def test_a_crowd_is_dropped_and_never_blocks(
    api: FakeWebApi, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.send.whisper.TIMEOUT_S", 1)
    api.script("response", Answer(hang=True))
    whisper = Whisper(FakePauses(), API)
    started = time.monotonic()
    for _ in range(WAITING_MOST + 20):
        whisper.tell(api.response_url(), "x")
    assert time.monotonic() - started < 1
    whisper.stop(PATIENCE_SECONDS)
    assert len(api.of("response")) <= 2
    assert "whisper_dropped" in capsys.readouterr().out


def test_it_waits_as_long_as_slack_asks(api: FakeWebApi) -> None:
    api.script("response", limited(1))
    whisper = Whisper(FakePauses(), API)
    whisper.tell(api.response_url(), "one")
    api.wait_for("response", 1)
    refused = time.monotonic()
    whisper.tell(api.response_url(), "two")
    said = [c.body["text"] for c in api.wait_for("response", 3)]
    whisper.stop(PATIENCE_SECONDS)
    assert said == ["one", "one", "two"]
    assert time.monotonic() - refused > 0.9


def test_a_stop_waits_no_longer_than_it_may(
    api: FakeWebApi, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And may be asked again: first what waits is dropped, then the call in hand is waited for."""
    monkeypatch.setattr("bot.slack.send.whisper.TIMEOUT_S", 60)
    api.script("response", Answer(hang=True))
    whisper = Whisper(FakePauses(), API)
    for words in ("one", "two", "three"):
        whisper.tell(api.response_url(), words)
    api.wait_for("response")
    assert not whisper.stop(0)
    assert not whisper.stop(0)
    api.release()
    assert whisper.stop(PATIENCE_SECONDS)
    assert [c.body["text"] for c in api.of("response")] == ["one"]
    assert capsys.readouterr().out.count("whisper_dropped_at_stop") == 1


def test_after_the_end_it_says_nothing(api: FakeWebApi) -> None:
    whisper = Whisper(FakePauses(), API)
    whisper.stop(PATIENCE_SECONDS)
    whisper.tell(api.response_url(), "x")
    assert whisper._thread is None
    assert api.calls == []
