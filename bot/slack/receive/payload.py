"""Reads what Slack sent, once: from the bytes to one object with types. Nothing behind sees JSON.

Whatever is wrong with a payload raises `Malformed`, which is answered with 400: a signature only
proves who sent it, not that it makes sense.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import parse_qsl

from bot.request import Frozen
from bot.slack.draw.ids import ACTION_VALUE

Json = dict[str, Any]
Rejected = Literal["unsigned", "old", "forged", "malformed", "too_large"]
"""Why something was not taken for a payload of Slack."""

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


def origin(kind: str, *parts: str) -> str:
    """A key that is the same only for the same act of a person. It is unique in the inbox, so a
    replay, a retry by Slack, or a client that sends twice stores nothing twice. It is hashed,
    because a `trigger_id` is a secret for as long as it is valid."""
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return f"{kind}:{digest[:40]}"


# ---- what there is ---------------------------------------------------------------------------


class Command(Frozen):
    """Somebody typed the slash command; `text` is what follows it, as Slack escapes it."""

    name: str
    text: str
    by: str
    team: str | None
    channel: str
    direct: bool
    """In a direct message."""
    trigger_id: str
    response_url: str

    @property
    def origin(self) -> str:
        """By `trigger_id`, who typed what, and where: one command makes one request."""
        return origin("command", self.trigger_id, self.by, self.channel, self.text)


class View(Frozen):
    """A modal as it was on the screen. `values` has what is chosen, picked or typed in an input, by
    its block id, and nothing for an empty one (Slack docs, view payloads)."""

    callback_id: str | None
    metadata: str | None
    id: str | None
    hash: str | None
    values: Mapping[str, str]


class Author(Frozen):
    """Who wrote the message of a pressed button, as far as Slack says it."""

    app: str | None
    bot: str | None
    user: str | None


class Click(Frozen):
    """Somebody pressed a button, or chose something in a modal (Slack docs, block_actions)."""

    action_id: str
    block_id: str | None
    value: str
    by: str
    team: str | None
    app: str | None
    """The app that Slack sent the click to."""
    channel: str | None
    message_ts: str | None
    author: Author | None
    """None where Slack sends no message: in a modal, on the Home tab."""
    view: View | None
    trigger_id: str
    action_ts: str
    response_url: str | None

    @property
    def origin(self) -> str:
        """By `trigger_id`, who pressed which button, and when: two people never share a key."""
        return origin("click", self.trigger_id, self.by, self.action_id, self.action_ts)


class FormSent(Frozen):
    """Somebody sent a modal. Each sending has a `trigger_id` of its own, so none tells whether it
    was sent before."""

    view: View
    by: str
    team: str | None


class Search(Frozen):
    """Somebody types in a menu that has too many options to send (Slack docs, block_suggestion)."""

    block_id: str | None
    typed: str
    by: str
    view: View | None


class HomeOpened(Frozen):
    """Slack's event comes for the messages tab as well."""

    by: str
    home: bool


# ---- from bytes to what Bolt can find a listener for -----------------------------------------


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
        if not isinstance(_within(payload, *path.split(".")), str):
            raise Malformed(f"{path} is missing")
    return payload


# ---- from there to one of the objects; each raises Malformed ---------------------------------


def command(payload: Json) -> Command:
    channel = _text(payload, "channel_id")
    return Command(
        name=_text(payload, "command"),
        text=_maybe_text(payload, "text") or "",
        by=_text(payload, "user_id"),
        team=_maybe_text(payload, "team_id"),
        channel=channel,
        direct=channel.startswith("D") or payload.get("channel_name") == "directmessage",
        trigger_id=_text(payload, "trigger_id"),
        response_url=_text(payload, "response_url"),
    )


def click(payload: Json) -> Click:
    # Slack sends one action at a time, and Bolt looks at the first.
    action: Json = payload["actions"][0]
    by, team = _user(payload)
    message = _object(payload, "message")
    container = _object(payload, "container")
    author = {name: _maybe_text(message, f"{name}_id") for name in ("app", "bot")}
    # What a button carries is kept in the audit trail, sense or not, and a database takes neither
    # lone surrogates nor NUL.
    value = action.get("value") if isinstance(action.get("value"), str) else ""
    return Click(
        action_id=_text(action, "action_id"),
        block_id=_maybe_text(action, "block_id"),
        value=str(value).encode(errors="replace").decode().replace("\0", "?"),
        by=by,
        team=team,
        app=_maybe_text(payload, "api_app_id"),
        channel=_maybe_text(_object(payload, "channel"), "id")
        or _maybe_text(container, "channel_id"),
        message_ts=_maybe_text(message, "ts") or _maybe_text(container, "message_ts"),
        author=Author(**author, user=_maybe_text(message, "user")) if message else None,
        view=view_of(payload) if payload.get("view") else None,
        trigger_id=_text(payload, "trigger_id"),
        action_ts=_maybe_text(action, "action_ts") or "",
        response_url=_maybe_text(payload, "response_url"),
    )


def form_sent(payload: Json) -> FormSent:
    by, team = _user(payload)
    _text(payload, "trigger_id")  # Slack sends one with everything that a person does
    return FormSent(view=view_of(payload), by=by, team=team)


def search(payload: Json) -> Search:
    by, _ = _user(payload)
    return Search(
        block_id=_maybe_text(payload, "block_id"),
        typed=_maybe_text(payload, "value") or "",
        by=by,
        view=view_of(payload) if payload.get("view") else None,
    )


def home_opened(payload: Json) -> HomeOpened:
    event = _object(payload, "event")
    return HomeOpened(by=_text(event, "user"), home=_text(event, "tab") == "home")


def view_of(payload: Json) -> View:
    view = _object(payload, "view")
    state = _within(view, "state", "values")
    values = {}
    for block_id, block in state.items() if isinstance(state, Mapping) else ():
        chosen = _within(block, ACTION_VALUE, "selected_option", "value")
        names = ("value", "selected_date", "selected_time")
        given = (chosen, *(_within(block, ACTION_VALUE, name) for name in names))
        if value := next((each for each in given if isinstance(each, str) and each), None):
            values[str(block_id)] = value
    texts = ("callback_id", "private_metadata", "id", "hash")
    callback_id, metadata, view_id, view_hash = (
        view[name] if isinstance(view.get(name), str) else None for name in texts
    )
    return View(
        callback_id=callback_id, metadata=metadata, id=view_id, hash=view_hash, values=values
    )


# ---- one field each --------------------------------------------------------------------------


def _text(payload: Mapping[str, Any], key: str) -> str:
    """A text that must not be missing or empty. Raises Malformed."""
    value = _maybe_text(payload, key)
    if not value:
        raise Malformed(f"{key} is missing")
    return value


def _maybe_text(payload: Mapping[str, Any], key: str) -> str | None:
    """A text, or None if it is missing, null or empty. Raises Malformed for anything else, and for
    what a database cannot store: lone surrogates, which JSON allows, and NUL are nothing that a
    person can type in Slack."""
    value = payload.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Malformed(f"{key} is no text")
    if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise Malformed(f"{key} holds characters that are no text")
    if len(value) > LONGEST_FIELD:
        raise Malformed(f"{key} is too long")
    return value


def _object(payload: Mapping[str, Any], key: str) -> Json:
    """An object, empty if it is missing or null. Raises Malformed for anything else."""
    value = payload.get(key)
    if not isinstance(value, dict | None):
        raise Malformed(f"{key} is no object")
    return value or {}


def _user(payload: Mapping[str, Any]) -> tuple[str, str | None]:
    """Who acted, and their team if Slack names it. With an organisation-wide installation `team` is
    null (Slack docs, interaction payloads)."""
    user = _object(payload, "user")
    team = _maybe_text(user, "team_id") or _maybe_text(_object(payload, "team"), "id")
    return _text(user, "id"), team


def _within(found: Any, *path: str) -> Any:
    for key in path:
        if key == "0":
            found = found[0] if isinstance(found, list) and found else None
        else:
            found = found.get(key) if isinstance(found, Mapping) else None
    return found
