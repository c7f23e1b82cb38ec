"""Slack's side of Socket Mode, as a plain WebSocket client sees it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from sandbox.slack import LocalSlack

RITA, CHANNEL = "U0RITA", "C0ROOM"


@pytest.fixture
def slack() -> Iterator[LocalSlack]:
    with LocalSlack() as local:
        local.mode = "socket"
        local.courier.ack_seconds = 0.3
        local.add_person("Rita", id=RITA)
        local.add_channel("room", id=CHANNEL)
        yield local


def address(slack: LocalSlack, token: str | None = None) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token or slack.app_token}"}
    url = f"{slack.api_url}apps.connections.open"
    found: dict[str, Any] = requests.post(url, headers=headers, timeout=60).json()
    return found


@contextmanager
def socket(slack: LocalSlack, **how: Any) -> Iterator[ClientConnection]:
    usual = {"ping_interval": None, "proxy": None, "close_timeout": 0.2}
    with connect(address(slack)["url"], **{**usual, **how}) as opened:
        yield opened


def next_of(opened: ClientConnection) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(opened.recv(timeout=60))
    return frame


def test_an_address_is_for_the_app_token_and_one_connection(slack: LocalSlack) -> None:
    assert address(slack, slack.bot_token)["error"] == "not_allowed_token_type"
    assert address(slack, "xapp-other")["error"] == "invalid_auth"
    assert requests.post(f"{slack.api_url}apps.connections.open", timeout=60).json() == {
        "ok": False,
        "error": "not_authed",
    }
    url = address(slack)["url"]
    with connect(url, proxy=None) as opened:
        assert next_of(opened)["type"] == "hello"
        with pytest.raises(InvalidStatus), connect(url, proxy=None):
            pytest.fail("a ticket was taken twice")


def test_without_an_acknowledgement_it_comes_again_three_times(slack: LocalSlack) -> None:
    seen = []
    with socket(slack) as opened:
        next_of(opened)
        assert slack.command(RITA, "berlin", channel=CHANNEL).error == "operation_timeout"
        seen.append(next_of(opened))
    for _ in range(3):
        with socket(slack) as opened:
            next_of(opened)
            seen.append(next_of(opened))
    assert len({envelope["envelope_id"] for envelope in seen}) == 1
    assert [envelope.get("retry_attempt", 0) for envelope in seen] == [0, 1, 2, 3]
    with socket(slack) as opened:
        next_of(opened)
        with pytest.raises(TimeoutError):
            opened.recv(timeout=0.2)
