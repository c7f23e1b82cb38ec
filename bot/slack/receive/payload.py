"""Reads what Slack sent, once: from the bytes to one object with types. Nothing behind sees JSON.

Whatever is wrong with a payload raises `Malformed`, which is answered with 400: a signature only
proves who sent it, not that it makes sense.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import parse_qsl

from pydantic import (
    AliasChoices,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

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

_STORABLE = StringConstraints(max_length=LONGEST_FIELD, pattern=r"^[^\x00]*$")
"""What a database takes: lone surrogates, which JSON allows and pydantic does not, and NUL are
nothing that a person can type in Slack."""

Text = Annotated[str, StringConstraints(min_length=1), _STORABLE]
MaybeEmpty = Annotated[str, _STORABLE, BeforeValidator(lambda value: value or "")]
Maybe = Annotated[Text | None, BeforeValidator(lambda value: value or None)]


def _at(path: str, default: Any = ...) -> Any:
    """A field that Slack has under this path."""
    return Field(default, validation_alias=_path(path))


def _either(one: str, other: str) -> Any:
    return Field(None, validation_alias=AliasChoices(_path(one), _path(other)))


def _path(path: str) -> AliasPath:
    first, *more = path.split(".")
    return AliasPath(first, *(int(key) if key.isdecimal() else key for key in more))


def _cleaned(value: object) -> str:
    """What a button carries is kept in the audit trail, sense or not."""
    text = value if isinstance(value, str) else ""
    return text.encode(errors="replace").decode().replace("\0", "?")


def _filled_in(values: object) -> dict[str, str]:
    """What is chosen, picked or typed in each input, by its block id; nothing for an empty one."""
    filled = {}
    for block_id, block in values.items() if isinstance(values, Mapping) else ():
        chosen = _within(block, ACTION_VALUE, "selected_option", "value")
        names = ("value", "selected_date", "selected_time")
        given = (chosen, *(_within(block, ACTION_VALUE, name) for name in names))
        if value := next((each for each in given if isinstance(each, str) and each), None):
            filled[str(block_id)] = value.encode(errors="replace").decode()
    return filled


class _Payload(BaseModel):
    """Of all that Slack sends the fields that are used here, each under one name."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Command(_Payload):
    """Somebody typed the slash command; `text` is what follows it, as Slack escapes it (Slack docs,
    slash commands)."""

    name: Text = _at("command")
    text: MaybeEmpty = ""
    by: Text = _at("user_id")
    team: Maybe = _at("team_id", None)
    channel: Text = _at("channel_id")
    channel_name: Maybe = None
    trigger_id: Text
    response_url: Text

    @property
    def direct(self) -> bool:
        """In a direct message."""
        return self.channel.startswith("D") or self.channel_name == "directmessage"

    @property
    def origin(self) -> str:
        """By `trigger_id`, who typed what, and where: one command makes one request."""
        return origin("command", self.trigger_id, self.by, self.channel, self.text)


class View(_Payload):
    """A modal as it was on the screen (Slack docs, view payloads)."""

    callback_id: str | None = None
    metadata: str | None = _at("private_metadata", None)
    id: str | None = None
    hash: str | None = None
    values: Annotated[dict[str, str], BeforeValidator(_filled_in)] = _at("state.values", {})


MaybeView = Annotated[View | None, BeforeValidator(lambda view: view or None)]


class Author(_Payload):
    """Who wrote the message of a pressed button, as far as Slack says it."""

    app: Maybe = _at("app_id", None)
    bot: Maybe = _at("bot_id", None)
    user: Maybe = None


class _ByPerson(_Payload):
    by: Text = _at("user.id")
    user_team: Maybe = _at("user.team_id", None)
    workspace: Maybe = _at("team.id", None)

    @property
    def team(self) -> str | None:
        """None if Slack does not name it: with an organisation-wide installation `team` is null
        (Slack docs, interaction payloads)."""
        return self.user_team or self.workspace


class Click(_ByPerson):
    """Somebody pressed a button, or chose something in a modal (Slack docs, block_actions). Slack
    sends one action at a time, and Bolt looks at the first."""

    action_id: Text = _at("actions.0.action_id")
    block_id: Maybe = _at("actions.0.block_id", None)
    value: Annotated[str, BeforeValidator(_cleaned)] = _at("actions.0.value", "")
    action_ts: MaybeEmpty = _at("actions.0.action_ts", "")
    app: Maybe = _at("api_app_id", None)
    """The app that Slack sent the click to."""
    channel: Maybe = _either("channel.id", "container.channel_id")
    message_ts: Maybe = _either("message.ts", "container.message_ts")
    author: Annotated[Author | None, BeforeValidator(lambda message: message or None)] = _at(
        "message", None
    )
    """None where Slack sends no message: in a modal, on the Home tab."""
    view: MaybeView = None
    trigger_id: Text
    response_url: Maybe = None

    @property
    def origin(self) -> str:
        """By `trigger_id`, who pressed which button, and when: two people never share a key."""
        return origin("click", self.trigger_id, self.by, self.action_id, self.action_ts)


class FormSent(_ByPerson):
    """Somebody sent a modal. Each sending has a `trigger_id` of its own, so none tells whether it
    was sent before."""

    view: View
    trigger_id: Text


class Search(_ByPerson):
    """Somebody types in a menu that has too many options to send (Slack docs, block_suggestion)."""

    block_id: Maybe = None
    typed: MaybeEmpty = _at("value", "")
    view: MaybeView = None


class HomeOpened(_Payload):
    """Slack's event comes for the messages tab as well (Slack docs, app_home_opened)."""

    by: Text = _at("event.user")
    tab: Text = _at("event.tab")


Kind = TypeVar("Kind", bound=_Payload)


def read(kind: type[Kind], payload: Json) -> Kind:
    """Raises Malformed."""
    try:
        return kind.model_validate(payload)
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, each["loc"])) for each in error.errors()[:3])
        raise Malformed(f"{kind.__name__} cannot be read: {wrong}") from None


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


def _within(found: Any, *path: str) -> Any:
    for key in path:
        if key == "0":
            found = found[0] if isinstance(found, list) and found else None
        else:
            found = found.get(key) if isinstance(found, Mapping) else None
    return found
