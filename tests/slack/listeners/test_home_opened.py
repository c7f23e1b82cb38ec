"""Opening the home tab: published once, behind the listener's back, and nothing is stored."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.request.lookup_results import Home
from tests.slack.listeners import made
from tests.slack.listeners.conftest import Adapter, Reply
from tests.slack.listeners.fake_web_api import error


def opened(**event: Any) -> str:
    whole = {"type": "app_home_opened", "user": "UREQUESTER", "channel": "D1", "tab": "home"}
    return json.dumps({"type": "event_callback", "team_id": "T1", "event": whole | event})


def _send(adapter: Adapter, body: str) -> Reply:
    headers = {**made.signed(body), "Content-Type": "application/json"}
    return adapter.raw("POST", "/slack/events", body.encode(), headers)


def test_it_is_published_to_whoever_opened_it(adapter: Adapter) -> None:
    adapter.lookups.homes["UREQUESTER"] = Home(asked=(made.request(),))
    assert _send(adapter, opened()).status == 200
    (call,) = adapter.api.wait_for("views.publish")
    assert call.body["user_id"] == "UREQUESTER"
    assert "K7QM-3XPD" in json.dumps(call.body["view"])
    assert adapter.inbox.puts == []


def test_the_messages_tab_is_nothing(adapter: Adapter) -> None:
    assert _send(adapter, opened(tab="messages")).status == 200
    assert adapter.lookups.asked == []


def test_a_crowd_is_not_read_for(adapter: Adapter) -> None:
    adapter.lookups.full = True
    assert _send(adapter, opened()).status == 200
    assert adapter.lookups.asked == []


def test_slack_that_does_not_take_it_harms_nothing(adapter: Adapter) -> None:
    adapter.api.script("views.publish", error("not_enabled"))
    assert _send(adapter, opened()).status == 200
    adapter.api.wait_for("views.publish")


@pytest.mark.parametrize("event", [{"user": None}, {"user": 7}, {"tab": None}])
def test_a_shape_that_slack_does_not_send(adapter: Adapter, event: dict[str, Any]) -> None:
    assert _send(adapter, opened(**event)).status == 400
