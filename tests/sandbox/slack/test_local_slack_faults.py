"""Faults, outages, starting and stopping."""

from __future__ import annotations

import threading

import pytest
import requests

from bot.sandbox.slack import LocalSlack
from tests.sandbox.slack.slack_kit import OPS


def post(slack: LocalSlack, channel: str, text: str = "x", timeout: float = 5) -> requests.Response:
    with requests.Session() as session:
        return session.post(
            f"{slack.api_url}chat.postMessage",
            json={"channel": channel, "text": text},
            headers={"Authorization": f"Bearer {slack.bot_token}"},
            timeout=timeout,
        )


def test_what_is_told_to_fail(slack: LocalSlack) -> None:
    fault = slack.fail("chat.postMessage", error="restricted_action", times=2)
    slack.fail("*", status=502, times=None, match=lambda args: args.get("text") == "bad")
    slack.fail("chat.postMessage", retry_after=7)
    assert [post(slack, OPS).json()["error"] for _ in range(2)] == ["restricted_action"] * 2
    assert fault.used == 2
    limited = post(slack, OPS)
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "7")
    assert limited.json() == {"ok": False, "error": "ratelimited"}
    broken = post(slack, OPS, "bad")
    assert broken.status_code == 502
    with pytest.raises(requests.JSONDecodeError):
        broken.json()
    assert slack.messages(OPS) == []
    assert post(slack, OPS).json()["ok"]
    slack.heal()
    assert post(slack, OPS, "bad").json()["ok"]
    told = [(call.fault, call.error) for call in slack.calls]
    assert told == [
        ("error", "restricted_action"),
        ("error", "restricted_action"),
        ("error", "ratelimited"),
        ("status", None),
        (None, None),
        (None, None),
    ]


def test_a_lost_answer_is_carried_out(slack: LocalSlack) -> None:
    slack.fail("chat.postMessage", lost=True)
    with pytest.raises(requests.ConnectionError):
        post(slack, OPS, "stands")
    assert [m.text for m in slack.messages(OPS)] == ["stands"]
    (call,) = slack.calls_of("chat.postMessage")
    assert call.fault == "lost"
    assert call.response is not None
    assert post(slack, OPS).json()["ok"]


def test_a_hang_is_not_carried_out_and_ends_with_heal(slack: LocalSlack) -> None:
    slack.fail("chat.postMessage", hang=True, times=2)
    with pytest.raises(requests.Timeout):
        post(slack, OPS, timeout=0.1)
    caught: list[BaseException] = []

    def patient() -> None:
        try:
            post(slack, OPS, timeout=30)
        except requests.ConnectionError as error:
            caught.append(error)

    thread = threading.Thread(target=patient)
    thread.start()
    slack.wait_for(lambda: len(slack.calls_of("chat.postMessage")) == 2)
    slack.heal()
    thread.join(5)
    assert not thread.is_alive()
    assert len(caught) == 1
    assert slack.messages(OPS) == []
    assert [call.fault for call in slack.calls] == ["hang", "hang"]
