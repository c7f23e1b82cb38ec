"""A local Slack with a clock to turn and a receiver in the bot's place."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from slack_sdk import WebClient

from sandbox.slack import LocalSlack
from tests.sandbox.slack.slack_kit import ANN, OPS, Receiver
from tests.support.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slack(clock: Clock) -> Iterator[LocalSlack]:
    with LocalSlack(clock=clock, rate_limits=False) as local:
        local.add_person("Ann", id=ANN)
        local.add_channel("ops", id=OPS)
        yield local


@pytest.fixture
def receiver(slack: LocalSlack) -> Iterator[Receiver]:
    receiver = Receiver(slack.signing_secret)
    slack.request_url = receiver.url
    yield receiver
    receiver.close()


@pytest.fixture
def client(slack: LocalSlack) -> WebClient:
    """Without retry handlers: a test sees each answer once."""
    return WebClient(token=slack.bot_token, base_url=slack.api_url, timeout=5, retry_handlers=[])
