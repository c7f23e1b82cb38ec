"""`apps.connections.open`: refused, limited, nonsense; the bot starts all the same and says why it
is not ready."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk import WebClient
from structlog.testing import capture_logs
from websockets.sync.server import ServerConnection

from bot.slack.receive.socket_mode import NotOpened, address
from bot.slack.send.web_api import api_client
from sandbox.slack import LocalSlack
from tests.slack.socket.conftest import Client, OneAnswer, Talk, connected, wait_for


def new(answer: Any, **how: str) -> str:
    return address(OneAnswer(answer, **how))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url",
    [
        "ws://wss-primary.slack.com/link/?ticket=1",
        "https://slack.com/",
        "",
        None,
        7,
    ],
)
def test_an_address_that_would_not_be_secure_is_not_taken(url: Any) -> None:
    with pytest.raises(NotOpened, match="no address that is secure"):
        new({"url": url})


@pytest.mark.parametrize("token", ["xapp-wrong", "xoxb-local-sandbox-token"])
def test_a_wrong_token_names_the_setting(slack: LocalSlack, token: str) -> None:
    with pytest.raises(NotOpened, match="SLACK_APP_TOKEN") as caught:
        address(api(slack, token))
    assert token not in str(caught.value)


def api(slack: LocalSlack, token: str | None = None) -> WebClient:
    return api_client(token or slack.app_token, base_url=slack.api_url, timeout_s=2)


def test_a_limit_is_obeyed(slack: LocalSlack, make_client: Callable[..., Client]) -> None:
    slack.fail("apps.connections.open", retry_after=1)
    began = time.monotonic()
    client = make_client()
    client.wait_until_ready()
    assert time.monotonic() - began >= 1.0
    first, second = slack.calls_of("apps.connections.open")
    assert second.at - first.at >= 1.0


@pytest.mark.parametrize("fault", [{"status": 502}, {"lost": True}, {"error": "fatal_error"}])
def test_a_failure_is_tried_again(
    slack: LocalSlack, make_client: Callable[..., Client], fault: dict[str, Any]
) -> None:
    slack.fail("apps.connections.open", times=2, **fault)
    client = make_client()
    client.wait_until_ready()
    assert len(slack.calls_of("apps.connections.open")) == 3


def test_no_ticket_and_no_token_in_the_log(
    slack: LocalSlack, make_client: Callable[..., Client], capfd: pytest.CaptureFixture[str]
) -> None:
    client = make_client()
    client.wait_until_ready()
    slack.sockets.drop()
    wait_for(lambda: slack.sockets.opened == 2)
    client.wait_until_ready()
    said = "".join(capfd.readouterr())
    assert "slack_connected" in said
    for secret in (slack.app_token, *slack.sockets.all_tickets):
        assert secret not in said


def test_our_own_old_connection_is_no_other(
    slack: LocalSlack, make_client: Callable[..., Client]
) -> None:
    with capture_logs() as logs:
        make_client().wait_until_ready()
        slack.sockets.disconnect("warning", closes_after=5.0)
        wait_for(lambda: slack.sockets.usable == 1)
        wait_for(lambda: [e for e in logs if e.get("connections") == 2])
    assert [e for e in logs if e["event"] == "slack_socket_not_alone"] == []


def test_others_on_the_token_are_hinted_at() -> None:
    def greet_again(connection: ServerConnection, number: int) -> None:
        for count in (2, 3, 1, 2):
            connection.send(json.dumps({"type": "hello", "num_connections": count}))

    with capture_logs() as logs, Talk(greet_again).serving() as url, connected(url):
        wait_for(lambda: sum(line["event"] == "slack_connected" for line in logs) == 5)
    hints = [line["connections"] for line in logs if line["event"] == "slack_socket_not_alone"]
    assert hints == [2, 3, 2]


def test_an_address_that_is_none_is_named_without_its_ticket(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with connected("wss:///link/?ticket=secret-1") as (mode, _):
        wait_for(lambda: "InvalidURI: its address" in str(mode.problem()))
        assert "secret-1" not in str(mode.problem())
    assert "secret-1" not in "".join(capfd.readouterr())
