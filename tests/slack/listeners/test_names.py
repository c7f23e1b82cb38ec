"""The button for all names of a card: a form that only reads, and nothing is stored."""

from __future__ import annotations

import pytest

from tests.slack.listeners import made
from tests.slack.listeners.conftest import Adapter
from tests.slack.listeners.fake_web_api import error


def _press(adapter: Adapter, **changes: object) -> None:
    payload = made.click("unpair_names", adapter.api.response_url(), **changes)
    assert adapter.send(payload).status == 200


def test_the_names_are_shown_to_whoever_presses(adapter: Adapter) -> None:
    _press(adapter, by="UANYBODY")
    (call,) = adapter.api.of("views.open")
    assert call.body["trigger_id"]
    assert "Replications" in str(call.body["view"])
    assert adapter.inbox.puts == []


@pytest.mark.parametrize(
    "changes",
    [
        {"value": "nonsense"},
        {"value": "ZZZZ-ZZZZ:0123456789abcdef"},
        {"container": {"type": "message", "message_ts": "1.2", "channel_id": "C1"}, "message": {}},
        {"channel": {"id": "C9", "name": "elsewhere"}},
    ],
    ids=["nonsense", "unknown", "another message", "another channel"],
)
def test_only_the_card_itself_shows_them(adapter: Adapter, changes: dict[str, object]) -> None:
    _press(adapter, **changes)
    assert adapter.api.of("views.open") == []
    assert "Press the button on the newest card again." in adapter.whispered()[0]


def test_a_list_that_does_not_open_is_told(adapter: Adapter) -> None:
    adapter.api.script("views.open", error("trigger_expired"))
    _press(adapter)
    assert "Slack did not open the list" in adapter.whispered()[0]
