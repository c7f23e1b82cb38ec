"""Signed nonsense: always 4xx, never 5xx, nothing stored."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.request.messages import Drawn
from bot.slack.receive.bolt_app import dispatch
from bot.slack.receive.listeners import make_app
from bot.slack.receive.payload import Malformed, parse
from bot.slack.send.one_message import Whisper
from bot.slack.send.web_api import api_client
from tests.slack.listeners import made
from tests.slack.listeners.conftest import Adapter, deps_for

URL = "http://127.0.0.1:9/never"


def _payload(value: Any) -> str:
    return urlencode({"payload": value if isinstance(value, str) else json.dumps(value)})


def _without(payload: dict[str, Any], *path: str) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(payload))
    place: Any = copy
    for key in path[:-1]:
        place = place[int(key) if key.isdigit() else key]
    del place[path[-1]]
    return copy


def _click(**changes: Any) -> dict[str, Any]:
    return made.click("unpair_approve", URL, **changes)


SENT = made.submission("{}", {"reason": made.typed("x")})
MALFORMED = {
    "empty": "",
    "words": "just words",
    "json array": "[1, 2, 3]",
    "unclosed json": '{"type": "block_actions"',
    "payload=notjson": "payload=notjson",
    "payload empty": "payload=",
    "payload array": _payload([{"type": "block_actions"}]),
    "deep": _payload("[" * 100_000),
    "many fields": "&".join(f"a{n}=1" for n in range(1000)),
    "unknown kind": _payload({"type": "something_new"}),
    "legacy kind": _payload({"type": "interactive_message", "callback_id": "x", "actions": []}),
    "event null": json.dumps({"type": "event_callback", "event": None}),
    "no challenge": json.dumps({"type": "url_verification"}),
    "command not text": json.dumps({"command": 5}),
    "no trigger": made.form(made.command("paris x", URL, trigger_id=None)),
    "no user": made.form(made.command("paris x", URL, user_id=None)),
    "no channel": made.form(made.command("paris x", URL, channel_id=None)),
    "no response_url": made.form(made.command("paris x", "")),
    "nul in the text": made.form(made.command("paris a\0b", URL)),
    "no actions": _payload(_without(_click(), "actions")),
    "actions empty": _payload(_click(actions=[])),
    "no action_id": _payload(_without(_click(), "actions", "0", "action_id")),
    "click without trigger": _payload(_without(_click(), "trigger_id")),
    "click without user": _payload(_without(_click(), "user")),
    "click with user of text": _payload(_click() | {"user": "UAPPROVER"}),
    "click with half a surrogate": _payload(_click(by="U\ud800")),
    "click in no message": _payload(
        _without(_without(_click(), "container"), "message") | {"channel": None}
    ),
    "two response_urls": _payload(SENT | {"response_urls": [{}, {}]}),
    "view missing": _payload(_without(SENT, "view")),
    "submission without user": _payload(_without(SENT, "user")),
    "submission without trigger": _payload(_without(SENT, "trigger_id")),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_signed_but_malformed_is_400(adapter: Adapter, name: str) -> None:
    body = MALFORMED[name]
    reply = adapter.raw("POST", "/slack/events", body.encode(), made.signed(body))
    assert reply.status == 400
    assert adapter.rejected == ["malformed"]
    assert adapter.puts == []


def test_bytes_that_are_no_text_were_not_signed_by_slack(adapter: Adapter) -> None:
    headers = made.signed("anything")
    assert adapter.raw("POST", "/slack/events", b"\xff\xfe", headers).status == 401
    assert adapter.rejected == ["forged"]


def test_the_url_verification_of_slack_is_answered(adapter: Adapter) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "c-1", "token": "t"})
    reply = adapter.raw("POST", "/slack/events", body, made.signed(body))
    assert (reply.status, reply.json) == (200, {"challenge": "c-1"})


def test_an_event_that_nobody_asked_for_is_acknowledged(adapter: Adapter) -> None:
    body = json.dumps({"type": "event_callback", "event": {"type": "app_uninstalled"}})
    assert adapter.raw("POST", "/slack/events", body, made.signed(body)).status == 200


KEYS = [
    *("id", "type", "user", "team", "channel", "event", "view", "actions", "action_id"),
    *("callback_id", "authorizations", "enterprise", "message", "container", "value", "state"),
    *("values", "reason", "response_urls", "item", "private_metadata", "trigger_id", "team_id"),
    *("is_ext_shared_channel", "response_url", "command", "text", "function_data", "event_team"),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
TOP = st.sampled_from(
    [
        _click(),
        made.click("unpair_deny", URL),
        made.click("something_else", URL),
        SENT,
        made.command("paris x", URL),
        {"type": "event_callback", "event": {"type": "message"}, "is_ext_shared_channel": True},
        {"type": "block_suggestion", "action_id": "value"},
        {"type": "shortcut", "callback_id": "x"},
        {"type": "view_closed", "view": {"callback_id": "x"}},
    ]
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(top=TOP, data=st.data())
def test_no_shape_of_payload_is_ever_an_error_of_ours(top: dict[str, Any], data: Any) -> None:
    key = data.draw(st.sampled_from([*top, *KEYS]))
    body = json.dumps(top | {key: data.draw(JSON)})
    client = api_client("xoxb-t", base_url="http://127.0.0.1:9/api/", timeout_s=1)
    lookups = made.FakeLookups()
    lookups.full = True  # nothing may be called, so no modal is opened: for an empty command,
    store = made.Store()
    store.has(requester="UAPPROVER")  # and for a press of Deny
    deps = deps_for(client, _Silent(), store, lookups=lookups)
    with suppress(Malformed):
        answer = dispatch(make_app(deps), parse(body.encode()))
        assert answer.status == 200, body
        assert "reference" not in str(answer.body), body


class _Silent(Whisper):
    def __init__(self) -> None:
        """Without a thread."""

    def tell(self, response_url: str | None, words: str | Drawn) -> None:
        assert "reference" not in str(words), words
