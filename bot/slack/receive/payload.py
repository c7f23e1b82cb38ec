"""Reads what Slack sent: the one object in a body, its kind, and each field with its type.

Whatever is wrong with a payload raises `Malformed`, which is answered with 400: a signature only
proves who sent it, not that it makes sense.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from bot.slack.draw.ids import ACTION_VALUE

Json = dict[str, Any]

NEEDED: dict[str, tuple[str, ...]] = {
    "command": ("command",),
    "ssl_check": ("ssl_check",),
    "block_actions": ("actions.0.action_id",),
    "view_submission": ("view.callback_id", "view.type"),
    "block_suggestion": ("action_id",),
    "event_callback": ("event.type",),
    "url_verification": ("challenge",),
    "app_rate_limited": (),
}
"""The kinds of payload that Slack sends to an app with this manifest, and the fields by which Bolt
finds the listener (Slack docs, slash commands, interaction payloads and Events API)."""

LONGEST_FIELD = 20_000
"""Far above what Slack sends in one field (it cuts a command's text at some thousands)."""


class Malformed(Exception):
    """Not a payload that Slack sends. The text is for the log, and never quotes the payload."""


def parse(body: bytes) -> Json:
    """The object in a request's body, which is JSON, a form, or JSON in a form. Raises Malformed.

    Bolt's own parser is not used: it takes a command with the word `payload` in its text for an
    empty request (slack_bolt source, `request.internals.parse_body`).
    """
    try:
        text = body.decode()
        if text.startswith("{"):
            return checked(json.loads(text))
        form = dict(parse_qsl(text, keep_blank_values=True))
        return checked(json.loads(form["payload"]) if "payload" in form else form)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"cannot be parsed: {type(error).__name__}") from error


def checked(payload: object) -> Json:
    """What Bolt can find a listener for. Raises Malformed for anything else."""
    if not isinstance(payload, dict):
        raise Malformed("no object")
    kind = next((name for name in ("command", "ssl_check") if name in payload), payload.get("type"))
    needed = NEEDED.get(kind) if isinstance(kind, str) else None
    if needed is None:
        raise Malformed("not a kind that Slack sends here")
    for path in needed:
        if not isinstance(_at(payload, path), str):
            raise Malformed(f"{path} is missing")
    return payload


def _at(payload: Json, path: str) -> Any:
    found: Any = payload
    for key in path.split("."):
        if key == "0":
            found = found[0] if isinstance(found, list) and found else None
        else:
            found = found.get(key) if isinstance(found, Mapping) else None
    return found


def text_of(payload: Mapping[str, Any], key: str) -> str:
    """A text that must not be missing or empty. Raises Malformed."""
    value = maybe_text(payload, key)
    if not value:
        raise Malformed(f"{key} is missing")
    return value


def maybe_text(payload: Mapping[str, Any], key: str) -> str | None:
    """A text, or None if it is missing, null or empty. Raises Malformed for anything else."""
    value = payload.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Malformed(f"{key} is no text")
    return storable(value, key)


def storable(value: str, key: str) -> str:
    """The text, if a database can store it. Raises Malformed otherwise: lone surrogates, which JSON
    allows, and NUL are nothing that a person can type in Slack."""
    if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise Malformed(f"{key} holds characters that are no text")
    if len(value) > LONGEST_FIELD:
        raise Malformed(f"{key} is too long")
    return value


def object_of(payload: Mapping[str, Any], key: str) -> Json:
    """An object that must not be missing. Raises Malformed."""
    value = payload.get(key)
    if not isinstance(value, dict):
        raise Malformed(f"{key} is missing")
    return value


def maybe_object(payload: Mapping[str, Any], key: str) -> Json:
    """An object, empty if it is missing or null. Raises Malformed for anything else."""
    return {} if payload.get(key) is None else object_of(payload, key)


def user_of(payload: Mapping[str, Any]) -> tuple[str, str | None]:
    """Who acted, and their team if Slack names it. With an organisation-wide installation `team` is
    null (Slack docs, interaction payloads)."""
    user = object_of(payload, "user")
    team = maybe_text(user, "team_id") or maybe_text(maybe_object(payload, "team"), "id")
    return text_of(user, "id"), team


def only_action(payload: Mapping[str, Any]) -> Json:
    """The pressed button. Slack sends one at a time, and Bolt looks at the first."""
    actions = payload.get("actions")
    if not isinstance(actions, list) or not actions or not isinstance(actions[0], dict):
        raise Malformed("actions is missing")
    return actions[0]


def chosen(view: Mapping[str, Any], block_id: str) -> str | None:
    """What is chosen in an input of a modal, or None (Slack docs, view payloads:
    `state.values.<block_id>.<action_id>.selected_option.value`)."""
    return _within(view, "state", "values", block_id, ACTION_VALUE, "selected_option", "value")


def typed(view: Mapping[str, Any], block_id: str) -> str:
    """What is typed in an input for text. Slack sends null if it is empty."""
    return _within(view, "state", "values", block_id, ACTION_VALUE, "value") or ""


def _within(view: Mapping[str, Any], *path: str) -> str | None:
    found: Any = view
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else None
