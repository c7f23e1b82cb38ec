"""Approve, Withdraw and Look: each click becomes one event. Whether it counts is the worker's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import structlog

from bot.request.events import Clicked, Misdirected
from bot.request.model import Request
from bot.slack.draw.ids import ButtonValue
from bot.slack.draw.words import usage
from bot.slack.draw.words.answers import UNKNOWN_REQUEST
from bot.slack.draw.words.usage import unreadable_button
from bot.slack.identity import IdentityUnread
from bot.slack.receive import origins
from bot.slack.receive.deps import ListenerDeps
from bot.slack.receive.payload import (
    Json,
    Malformed,
    maybe_object,
    maybe_text,
    object_of,
    only_action,
    text_of,
    user_of,
)

log = structlog.get_logger(__name__)

VALUE_KEPT = 100
"""Characters kept in the audit trail of a value that is not ours. Slack allows 2,000."""

Action = Literal["approve", "deny", "cancel", "look", "break_glass"]

Why = Literal["unreadable_button", "unknown_button", "unknown_request", "bot_unread"]


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
    told_apart(number, press.request.id, press.clicked.action, press.clicked.by, deps)


def told_apart(
    number: int | None, request_id: str, action: str, by: str, deps: ListenerDeps
) -> None:
    """Log a new click; count and log one that was stored before (`number` is None)."""
    about = {"request": request_id, "action": action, "by": by}
    if number is None:
        deps.on_repeated()
        log.info("click_repeated", **about)
    else:
        log.info("clicked", **about)


def read_press(payload: Json, action: Action, deps: ListenerDeps) -> Press | None:
    """None when it has been answered here: the button's value makes no sense, or there is no such
    request. Raises Malformed."""
    response_url = maybe_text(payload, "response_url")
    value = ButtonValue.unpack(only_action(payload).get("value"))
    by, team = user_of(payload)
    origin = origins.of_click(payload)
    channel, message_ts = _place(payload)
    request = deps.overview.get(value.request_id) if value is not None else None
    if value is None:
        _misdirected(payload, action, "unreadable_button", unreadable_button(), deps)
        return None
    if request is None:
        _misdirected(payload, action, "unknown_request", UNKNOWN_REQUEST, deps)
        return None
    try:
        # A message in the card's place is the card, whatever the payload says of its author.
        ours = (channel, message_ts) == (request.channel, request.card_ts) or _ours(payload, deps)
    except IdentityUnread:
        _misdirected(payload, action, "bot_unread", usage.IDENTITY_UNKNOWN, deps)
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


def pressed_unknown(payload: Json, deps: ListenerDeps) -> None:
    """A button of another version of the bot, or of nobody's. Raises Malformed."""
    by, _ = user_of(payload)
    action = _kept(text_of(only_action(payload), "action_id"))
    log.info("unknown_button", action=action, by=by)
    if payload.get("message"):
        _misdirected(payload, action, "unknown_button", usage.OLD_BUTTON, deps)
    else:  # on a form or a home page: nothing there decides anything
        deps.whisper.tell(maybe_text(payload, "response_url"), usage.OLD_BUTTON)


def _misdirected(payload: Json, action: str, why: Why, words: str, deps: ListenerDeps) -> None:
    """Answer at once, and store the press for the audit trail. Nothing else comes of it."""
    by, _ = user_of(payload)
    channel, message_ts = _place(payload)
    typed = only_action(payload).get("value")
    value = ButtonValue.unpack(typed)
    request_id = value.request_id if value is not None else ""
    astray = Misdirected(
        action=action,
        by=by,
        channel=channel,
        message_ts=message_ts,
        value=_kept(typed),
        why=why,
    )
    number = deps.inbox.put(astray, origin=origins.of_click(payload), request_id=request_id)
    told_apart(number, request_id, action, by, deps)
    deps.whisper.tell(maybe_text(payload, "response_url"), words)


def _kept(value: object) -> str:
    """Cut, and with lone surrogates and NUL replaced: a database does not take those."""
    text = value if isinstance(value, str) else ""
    return text.encode(errors="replace").decode().replace("\0", "?")[:VALUE_KEPT]


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
    """Whether the bot wrote the pressed message. If Slack names the message's app, that must be the
    app that the click was sent to (`api_app_id`). Otherwise the bot's own ids tell.

    Raises IdentityUnread.
    """
    message = object_of(payload, "message") if payload.get("message") else {}
    app, asked = maybe_text(message, "app_id"), maybe_text(payload, "api_app_id")
    if app is not None and asked is not None:
        return app == asked
    bot, user = maybe_text(message, "bot_id"), maybe_text(message, "user")
    if bot is None and user is None:
        # If somebody else had written it, Slack would say who. That is enough here: the worker
        # still compares channel and `ts` with those of the card.
        return bool(message) and app is None
    me = deps.identity.read(queue_s=0)
    return (bot is not None and bot == me.bot) or (user is not None and user == me.user)
