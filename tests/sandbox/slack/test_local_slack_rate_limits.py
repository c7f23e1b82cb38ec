"""Rate limits on a turned clock, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox.slack import LocalSlack
from sandbox.slack.api_methods import POST_BURST, RateLimits
from tests.sandbox.slack.slack_kit import OPS
from tests.support.clock import Clock


@pytest.fixture
def slack(clock: Clock) -> Iterator[LocalSlack]:
    with LocalSlack(clock=clock) as local:
        local.add_channel("ops", id=OPS)
        yield local


def retry_after(call: object, **kwargs: object) -> int:
    assert callable(call)
    with pytest.raises(SlackApiError) as caught:
        call(**kwargs)
    answer = caught.value.response
    assert answer.status_code == 429
    assert answer.data == {"ok": False, "error": "ratelimited"}
    headers = {key.lower(): value for key, value in answer.headers.items()}
    return int(headers["retry-after"])


def test_posts_one_a_second_and_channel_after_a_burst(
    slack: LocalSlack, client: WebClient, clock: Clock
) -> None:
    channel, other = OPS, slack.add_channel("other")
    for _ in range(POST_BURST):
        client.chat_postMessage(channel=channel, text="x")
    assert retry_after(client.chat_postMessage, channel=channel, text="late") == 1
    assert client.chat_postMessage(channel=other, text="x")["ok"]
    clock.turn(0.9)
    assert retry_after(client.chat_postMessage, channel=channel, text="late") == 1
    clock.turn(0.1)
    assert client.chat_postMessage(channel=channel, text="x")["ok"]
    assert retry_after(client.chat_postMessage, channel=channel, text="late") == 1
    clock.turn(3600)
    for _ in range(POST_BURST):
        client.chat_postMessage(channel=channel, text="x")
    retry_after(client.chat_postMessage, channel=channel, text="late")
    assert "late" not in [message.text for message in slack.messages(channel)]
    assert slack.calls_of("chat.postMessage")[-1].status == 429


def test_as_many_in_a_minute_as_the_method_has(clock: Clock) -> None:
    limits, method, most = RateLimits(clock), "chat.update", 50
    assert [limits.refuse(method) for _ in range(most)] == [None] * most
    assert limits.refuse(method) == 60
    clock.turn(59.5)
    assert limits.refuse(method) == 1
    clock.turn(0.5)
    assert [limits.refuse(method) for _ in range(most)] == [None] * most


def test_waiting_exactly_retry_after_is_always_enough() -> None:
    clock = Clock()
    limits = RateLimits(clock)
    for step in range(2000):
        wait = limits.refuse("chat.postMessage", "C1")
        if wait is not None:
            clock.turn(wait)
            assert limits.refuse("chat.postMessage", "C1") is None, step
        clock.turn(0.1)
