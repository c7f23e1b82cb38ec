"""Approve, Cancel and Look: each click becomes one event. Whether it counts is the worker's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import structlog

from bot.core.events import Clicked
from bot.core.request import Request
from bot.slack import origins, sentences
from bot.slack.deps import ListenerDeps
from bot.slack.identity import IdentityUnread
from bot.slack.ids import ButtonValue
from bot.slack.payload import (
    Json,
    Malformed,
    maybe_object,
    maybe_text,
    object_of,
    only_action,
    text_of,
    user_of,
)
from bot.slack.wording.answers import UNKNOWN_REQUEST
from bot.slack.wording.usage import unreadable_button

log = structlog.get_logger(__name__)

Action = Literal["approve", "deny", "cancel", "look"]


@dataclass(frozen=True)
class Press:
    """One press of a button of ours on a request that exists."""

    request: Request
    clicked: Clicked
    origin: str
    response_url: str | None


def clicked(payload: Json, action: Action, deps: ListenerDeps) -> None:
    """Store the click. Raises Malformed."""
    press = read_press(payload, action, deps)
    if press is not None:
        store(press, deps)


def store(press: Press, deps: ListenerDeps) -> None:
    """One event, however often Slack or the person repeats the same press."""
    number = deps.inbox.put(
        press.clicked,
        origin=press.origin,
        request_id=press.request.id,
        response_url=press.response_url,
    )
    log.info(
        "clicked" if number is not None else "click_repeated",
        request=press.request.id,
        action=press.clicked.action,
        by=press.clicked.by,
    )


def read_press(payload: Json, action: Action, deps: ListenerDeps) -> Press | None:
    """None when it was answered here already: nonsense in the button, an unknown request. Raises
    Malformed."""
    response_url = maybe_text(payload, "response_url")
    value = ButtonValue.unpack(only_action(payload).get("value"))
    by, team = user_of(payload)
    origin = origins.of_click(payload)
    channel, message_ts = _place(payload)
    if value is None:
        deps.whisper.tell(response_url, unreadable_button())
        return None
    request = deps.requests.get(value.request_id)
    if request is None:
        log.info("click_on_unknown_request", request=value.request_id, by=by)
        deps.whisper.tell(response_url, UNKNOWN_REQUEST)
        return None
    try:
        ours = _ours(payload, deps)
    except IdentityUnread:
        deps.whisper.tell(response_url, sentences.IDENTITY_UNKNOWN)
        return None
    event = Clicked(
        action=action,
        by=by,
        team=team,
        fingerprint=value.fingerprint,
        channel=channel,
        message_ts=message_ts,
        ours=ours,
    )
    return Press(request, event, origin, response_url)


def _place(payload: Json) -> tuple[str, str]:
    """Channel and `ts` of the pressed message (Slack docs, block_actions)."""
    container = maybe_object(payload, "container")
    channel = maybe_text(maybe_object(payload, "channel"), "id")
    ts = maybe_text(maybe_object(payload, "message"), "ts")
    channel = channel or maybe_text(container, "channel_id")
    ts = ts or maybe_text(container, "message_ts")
    if not channel or not ts:
        raise Malformed("a button that stands in no message")
    return channel, ts


def _ours(payload: Json, deps: ListenerDeps) -> bool:
    """Whether the bot itself wrote the pressed message. Slack names the app of a message, and
    `api_app_id` is the app that the click was sent to; where it does not, the bot's own ids tell.

    Raises IdentityUnread.
    """
    message = object_of(payload, "message") if payload.get("message") else {}
    app = maybe_text(message, "app_id")
    if app is not None:
        return app == text_of(payload, "api_app_id")
    bot, user = maybe_text(message, "bot_id"), maybe_text(message, "user")
    if bot is None and user is None:
        return False
    me = deps.identity.read(queue_s=0)
    return (bot is not None and bot == me.bot) or (user is not None and user == me.user)
