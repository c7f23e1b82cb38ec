"""The Slack app manifest, for `manifest.yml`, `vr-unpair manifest` and the Slack CLI.

Fields: Slack docs, app manifest reference. In HTTP mode everything goes to one path of one address;
Socket Mode needs no address.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]

SCOPES = (
    "commands",
    "chat:write",
    "users:read",
    "usergroups:read",
    "channels:read",
    "groups:read",
)
"""None of them reads messages. A test compares them with the methods that the code calls."""

EVENTS = ("app_home_opened",)
"""It needs no scope (Slack docs, app_home_opened)."""

EVENTS_PATH = "/slack/events"
NAME_LENGTH = 35
"""Slack docs, display_information.name."""

DESCRIPTION = "Break a vSphere Replication pairing, after somebody else has approved it"
USAGE_HINT = "[PAIRING [--force] reason | preview PAIRING | list | status | help]"


class AddressWrong(Exception):
    """An address that Slack could not call. Its text is a whole sentence for people."""


def manifest(*, command: str, label: str, url: str | None) -> Json:
    """`command` begins with a slash, `label` may be empty. Raises AddressWrong."""
    address = events_url(url) if url is not None else None
    name = command.removeprefix("/")
    interactivity: Json = {"is_enabled": True}
    events: Json = {"bot_events": list(EVENTS)}
    slash: Json = {
        "command": command,
        "description": DESCRIPTION,
        "usage_hint": USAGE_HINT,
        "should_escape": False,
    }
    if address is not None:
        slash["url"] = address
        # The second address is used to search in a menu of more than 100 pairings.
        interactivity |= {"request_url": address, "message_menu_options_url": address}
        events["request_url"] = address
    return {
        "display_information": {
            "name": _app_name(name, label),
            "description": DESCRIPTION,
        },
        "features": {
            # Without the tab Slack refuses direct messages (`messages_tab_disabled`), and nobody
            # could be told anything once their `response_url` has expired.
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": name, "always_online": True},
            "slash_commands": [slash],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": events,
            "interactivity": interactivity,
            "org_deploy_enabled": False,
            "socket_mode_enabled": address is None,
            "token_rotation_enabled": False,
        },
    }


def events_url(url: str) -> str:
    """The whole address, from that of the host or the whole one itself. Raises AddressWrong."""
    try:
        parts = urlsplit(url.strip())
        complete = bool(parts.hostname) and (parts.port is None or parts.port > 0)
        complete = complete and not re.search(r"\s", url.strip())
    except ValueError:
        complete = False
    if not complete or parts.scheme != "https" or parts.query or parts.fragment or parts.username:
        raise AddressWrong(
            f"--url must be an address such as https://bot.example.com that Slack can call, not "
            f"{url!r}."
        )
    base = url.strip().rstrip("/")
    return base if base.endswith(EVENTS_PATH) else base + EVENTS_PATH


def as_yaml(found: Json) -> str:
    """For people to read. Texts are quoted as in JSON, which YAML reads in the same way."""
    return "".join(f"{line}\n" for line in _lines(found, ""))


def _lines(node: Json | list[Any], indent: str) -> list[str]:
    lines: list[str] = []
    entries = node.items() if isinstance(node, dict) else [(None, item) for item in node]
    for key, value in entries:
        head = f"{indent}- " if key is None else f"{indent}{key}:"
        if not isinstance(value, dict | list):
            lines.append(
                f"{head}{'' if key is None else ' '}{json.dumps(value, ensure_ascii=False)}"
            )
            continue
        inner = _lines(value, f"{indent}  ")
        if key is None:
            # The first line of an item is on the line of its hyphen.
            inner[0] = head + inner[0][len(indent) + 2 :]
            lines += inner
        else:
            lines += [head, *inner]
    return lines


def _app_name(name: str, label: str) -> str:
    """With the label, so that two deployments in one workspace have different names."""
    whole = f"{name} ({label})" if label else name
    return whole if len(whole) <= NAME_LENGTH else whole[: NAME_LENGTH - 1].rstrip() + "…"
