"""What Slack sends to the bot: commands, clicks, modals (Slack docs, interaction payloads)."""

from __future__ import annotations

import copy
from typing import Any

from .chat_methods import message_json
from .modals import value_of, view_json
from .records import Channel, Ephemeral, Json, Message, Person, Trigger, View
from .workspace import Workspace


def command_form(
    ws: Workspace,
    person: Person,
    channel: Channel,
    command: str,
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
        "command": command,
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
