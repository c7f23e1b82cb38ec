"""What Slack sends to the bot: commands, clicks, modals (Slack docs, interaction payloads), in
requests that are signed as Slack signs them (verifying requests)."""

from __future__ import annotations

import copy
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import requests
from urllib3.exceptions import NewConnectionError

from .chat_methods import message_json
from .modals import value_of, view_json
from .records import Channel, Ephemeral, Json, Message, Person, Trigger, View
from .workspace import Workspace

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

#: Slack waits this long for the acknowledgement.
ACK_SECONDS = 3.0


@dataclass
class Delivery:
    """One request to the bot, or one envelope over a socket, and what came back.

    `status` is None when no answer came; `error` then says what the person is shown:
    `operation_timeout`, or `dispatch_failed` (also for an answer other than 2xx). `problem` is
    what Slack would find wrong with the content of an answer. Over a socket `sent` is the envelope,
    `status` 200 for an acknowledgement, and `text` its payload.
    """

    kind: str
    sent: bytes
    headers: dict[str, str]
    status: int | None = None
    text: str = ""
    error: str | None = None
    problem: str | None = None
    envelope_id: str = ""
    payload: Json = field(default_factory=dict)

    @property
    def trigger_id(self) -> str:
        return str(self.payload.get("trigger_id") or "")

    @property
    def response_url(self) -> str:
        return str(self.payload.get("response_url") or "")

    @property
    def ok(self) -> bool:
        """Acknowledged in time with 2xx, and nothing wrong with the answer."""
        return self.error is None and self.problem is None

    @property
    def json(self) -> Json:
        """The answer's body; empty when it is empty or not an object."""
        try:
            body = json.loads(self.text) if self.text else {}
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}


class Courier:
    """Signs and sends. One connection per request: nothing is left open.

    With several `request_urls` it is also what stands before several copies of the bot: each
    request goes to the next of them in turn, and past those where nobody listens, as a load
    balancer does. What has been sent to one is never sent to another.
    """

    def __init__(self, signing_secret: str) -> None:
        self.signing_secret = signing_secret
        self.request_urls: list[str] = []
        self._turn = itertools.count()
        self.ack_seconds = ACK_SECONDS

    def sign(
        self, body: bytes, *, spoil_signature: bool = False, shift_seconds: float = 0
    ) -> dict[str, str]:
        """The two signature headers; `shift_seconds` below 0 makes the request old. Real time, even
        where the workspace's clock is a test's: the bot checks against it."""
        timestamp = str(int(time.time() + shift_seconds))
        base = b"v0:" + timestamp.encode() + b":" + body
        digest = hmac.new(self.signing_secret.encode(), base, hashlib.sha256).hexdigest()
        if spoil_signature:
            digest = ("1" if digest[0] == "0" else "0") + digest[1:]
        return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}

    def send(self, kind: str, body: bytes, headers: Mapping[str, str]) -> Delivery:
        """Sends this body with these headers as they are. Raises RuntimeError without address."""
        urls = list(self.request_urls)
        if not urls:
            raise RuntimeError("request_url is not set: the local Slack does not know the bot")
        first = next(self._turn) % len(urls)
        delivery = Delivery(kind=kind, sent=body, headers=dict(headers))
        began = time.monotonic()
        for url in (*urls[first:], *urls[:first]):
            if self._sent_to(url, delivery):
                break
        if delivery.error is None and time.monotonic() - began > self.ack_seconds:
            delivery.error = "operation_timeout"
        return delivery

    def _sent_to(self, url: str, delivery: Delivery) -> bool:
        """False when nobody listens there, so that nothing was sent."""
        delivery.error = None
        try:
            with requests.Session() as session:
                session.trust_env = False
                answer = session.post(
                    url,
                    data=delivery.sent,
                    headers=delivery.headers,
                    timeout=self.ack_seconds,
                    allow_redirects=False,
                )
            # Without a charset `requests` would guess Latin-1 for text.
            delivery.status = answer.status_code
            delivery.text = answer.content.decode(errors="replace")
            if not 200 <= answer.status_code < 300:
                delivery.error = "dispatch_failed"
        except requests.Timeout:
            delivery.error = "operation_timeout"
        except requests.RequestException as error:
            delivery.error = "dispatch_failed"
            return not _refused(error)
        return True


def _refused(error: requests.RequestException) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", None), NewConnectionError)


def form(fields: Mapping[str, str]) -> bytes:
    """A form body, as commands have it."""
    return urlencode(fields).encode()


# -- payloads --------------------------------------------------------------------------------


def command_form(
    ws: Workspace,
    person: Person,
    channel: Channel,
    text: str,
    trigger: Trigger,
    response_url: str,
) -> dict[str, str]:
    """The fields of a slash command. `team_id` is that of the person's own workspace."""
    fields = {
        "token": "legacy-verification-token",
        "team_id": person.team_id,
        "team_domain": ws.team_name,
        "channel_id": channel.id,
        "channel_name": _channel_name(channel),
        "user_id": person.id,
        "user_name": person.handle,
        "command": ws.slash_command,
        "text": text,
        "api_app_id": ws.app_id,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger.id,
    }
    if person.enterprise_id is not None:
        fields |= {"enterprise_id": person.enterprise_id, "enterprise_name": "local grid"}
    return fields


def click_payload(
    ws: Workspace,
    person: Person,
    shown: Message | Ephemeral,
    channel: Channel,
    action: Json,
    trigger: Trigger,
    response_url: str,
) -> Json:
    """`block_actions` from a message; of one that a single person sees Slack sends no content."""
    container: Json = {
        "type": "message",
        "message_ts": shown.ts,
        "channel_id": channel.id,
        "is_ephemeral": isinstance(shown, Ephemeral),
    }
    if shown.thread_ts is not None:
        container["thread_ts"] = shown.thread_ts
    content = {"message": message_json(ws, shown)} if isinstance(shown, Message) else {}
    return {
        "type": "block_actions",
        **_common(ws, person, trigger),
        "container": container,
        "channel": {"id": channel.id, "name": _channel_name(channel)},
        **content,
        "state": {"values": {}},
        "response_url": response_url,
        "actions": [action],
    }


def button_action(ws: Workspace, block_id: str, button: Json, value: str | None) -> Json:
    """One entry of `actions` for a button."""
    action: Json = {
        "type": "button",
        "action_id": button["action_id"],
        "block_id": block_id,
        "text": copy.deepcopy(button["text"]),
        "action_ts": ws.new_ts(),
    }
    if value is not None:
        action["value"] = value
    if button.get("style"):
        action["style"] = button["style"]
    return action


def view_action_payload(
    ws: Workspace, person: Person, view: View, block_id: str, element: Json, trigger: Trigger
) -> Json:
    """`block_actions` from a modal: something was chosen in it, or a button pressed."""
    if element["type"] == "button":
        action = button_action(ws, block_id, element, element.get("value"))
    else:
        action = {
            "action_id": element["action_id"],
            "block_id": block_id,
            **(value_of(element, view.chosen.get(block_id)) or {}),
            "action_ts": ws.new_ts(),
        }
    shown = view_json(ws, view)
    return {
        "type": "block_actions",
        **_common(ws, person, trigger),
        "container": {"type": "view", "view_id": view.id},
        "view": shown,
        "state": shown["state"],
        "actions": [action],
    }


def suggestion_payload(
    ws: Workspace, person: Person, view: View, block_id: str, element: Json, typed: str
) -> Json:
    """`block_suggestion`: somebody types into an external select. It has no trigger."""
    return {
        "type": "block_suggestion",
        **_common(ws, person, None),
        "action_id": element["action_id"],
        "block_id": block_id,
        "value": typed,
        "container": {"type": "view", "view_id": view.id},
        "view": view_json(ws, view),
    }


def submission_payload(ws: Workspace, person: Person, view: View, trigger: Trigger) -> Json:
    """`view_submission`. It has no `response_url`."""
    common = _common(ws, person, trigger)
    return {"type": "view_submission", **common, "view": view_json(ws, view), "response_urls": []}


def home_opened_payload(ws: Workspace, person: Person) -> Json:
    """The event `app_home_opened` in its envelope (Slack docs, Events API)."""
    authorization = {
        "enterprise_id": ws.enterprise_id,
        "team_id": ws.team_id,
        "user_id": ws.bot_user_id,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    return {
        "token": "legacy-verification-token",
        "type": "event_callback",
        "team_id": ws.team_id,
        "api_app_id": ws.app_id,
        "event_id": ws.new_id("Ev"),
        "event_time": int(ws.clock()),
        "authorizations": [authorization],
        "is_ext_shared_channel": False,
        "event": {
            "type": "app_home_opened",
            "user": person.id,
            "channel": ws.new_id("D"),
            "tab": "home",
            "event_ts": ws.new_ts(),
        },
    }


def _common(ws: Workspace, person: Person, trigger: Trigger | None) -> Json:
    """Assumption: `team` is the workspace of the person who acts, as in Slack Connect."""
    enterprise: Any = None
    if person.enterprise_id is not None:
        enterprise = {"id": person.enterprise_id, "name": "local grid"}
    name = person.handle
    common: Json = {
        "team": {"id": person.team_id, "domain": ws.team_name},
        "enterprise": enterprise,
        "is_enterprise_install": False,
        "user": {"id": person.id, "username": name, "name": name, "team_id": person.team_id},
        "api_app_id": ws.app_id,
        "token": "legacy-verification-token",
    }
    if trigger is not None:
        common["trigger_id"] = trigger.id
    return common


def _channel_name(channel: Channel) -> str:
    """Slack hides the names of private channels from commands."""
    return "privategroup" if channel.private else channel.name
