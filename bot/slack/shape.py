"""Turns a request's body into an object of a shape that Bolt and the listeners can read."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

from bot.slack.payload import Json, Malformed

DEEPEST = 20
"""Levels of nesting. Real payloads have about five."""

_NAMES = frozenset(("user", "team", "enterprise", "channel"))
_OBJECTS = frozenset(
    {
        "event",
        "message",
        "previous_message",
        "item",
        "assistant_thread",
        "view",
        "function_data",
        "container",
    }
)
_LISTS = frozenset(("actions", "authorizations", "response_urls"))
_WORDS = frozenset(
    {
        "type",
        "subtype",
        "callback_id",
        "action_id",
        "block_id",
        "command",
        "trigger_id",
        "response_url",
        "value",
        "id",
        "user_id",
        "team_id",
        "channel_id",
        "enterprise_id",
        "app_installed_team_id",
        "private_metadata",
        "bot_id",
        "app_id",
        "api_app_id",
        "ts",
        "thread_ts",
        "message_ts",
        "action_ts",
        "ssl_check",
        "function_execution_id",
        "execution_id",
        "bot_access_token",
        "user_team",
        "token",
        "context_team_id",
        "context_enterprise_id",
    }
)

NEEDED: dict[str, tuple[str, ...]] = {
    "block_actions": ("actions.action_id",),
    "view_submission": ("view.callback_id", "view.type"),
    "view_closed": ("view.callback_id", "view.type"),
    "block_suggestion": ("action_id",),
    "shortcut": ("callback_id",),
    "message_action": ("callback_id",),
    "event_callback": ("event.type",),
    "url_verification": ("challenge",),
    "app_rate_limited": (),
}
"""The kinds of payload that Slack sends to an app like this one, and the fields that Bolt relies on
in each (Slack docs, interaction payloads and Events API)."""


def parse(text: str, content_type: str) -> Json:
    """The one object in a request's body. Raises Malformed.

    Bolt's own parser is not used: if a command's text contains the word `payload`, it takes the
    request for an empty one (slack_bolt source, `request.internals.parse_body`).
    """
    if content_type == "application/json" or text.startswith("{"):
        payload = _json(text)
    else:
        try:
            form = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=200))
        except ValueError as error:
            raise Malformed("too many fields") from error
        payload = _json(form["payload"]) if "payload" in form else form
    if not payload:
        raise Malformed("empty")
    check(payload)
    return payload


def check(payload: Json) -> None:
    """Raises Malformed if Bolt or the listeners could not read it."""
    _check_types(payload)
    _check_kind(payload)


def _json(text: str) -> Json:
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Malformed("no JSON") from error
    if not isinstance(payload, dict):
        raise Malformed("JSON, but no object")
    return payload


def _check_types(payload: Json, depth: int = 0) -> None:
    """Raises Malformed if a field that Bolt reads has a type that it does not expect. Otherwise
    Bolt would fail with an AttributeError, which looks like an error of ours."""
    if depth > DEEPEST:
        raise Malformed("nested too deeply")
    for key, value in payload.items():
        if value is None:
            continue
        if key in _WORDS and not isinstance(value, str):
            raise Malformed(f"{key} is no text")
        if key in _NAMES and not isinstance(value, str | dict):
            raise Malformed(f"{key} is neither text nor object")
        if key in _OBJECTS and not isinstance(value, dict):
            raise Malformed(f"{key} is no object")
        if key in _LISTS and not _objects(value):
            raise Malformed(f"{key} is no list of objects")
        if key in _NAMES | _OBJECTS and isinstance(value, dict):
            _check_types(value, depth + 1)
        elif key in _LISTS:
            for item in value:
                _check_types(item, depth + 1)
    urls = payload.get("response_urls", [])
    if urls is None or len(urls) > 1:
        # Bolt fails on null, and no modal of ours asks for more than one.
        raise Malformed("response_urls is null or has more than one")


def _check_kind(payload: Json) -> None:
    if "command" in payload:
        needed: tuple[str, ...] = ("command",)
    elif "ssl_check" in payload:
        needed = ("token",)
    elif payload.get("type") in NEEDED:
        needed = NEEDED[payload["type"]]
    else:
        raise Malformed("not a kind that Slack sends here")
    for path in needed:
        outer, _, inner = path.rpartition(".")
        place = payload.get(outer) if outer else payload
        if isinstance(place, list):
            place = place[0] if place else None
        if not (isinstance(place, dict) and isinstance(place.get(inner), str)):
            raise Malformed(f"{path} is missing")


def _objects(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)
