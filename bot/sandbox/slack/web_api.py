"""The Web API: one call from its arguments to Slack's answer, in Slack's order of checks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import chat_methods, people_methods, view_methods
from .errors import SlackError
from .rate_limits import RateLimits
from .records import Json
from .workspace import Workspace

Method = Callable[[Workspace, Json], Json]

#: Method, the scope it needs (None: any token), and what it does. The scope of
#: `conversations.info` depends on the conversation and is checked there.
METHODS: dict[str, tuple[str | None, Method]] = {
    "auth.test": (None, people_methods.auth_test),
    "chat.postMessage": ("chat:write", chat_methods.post_message),
    "chat.postEphemeral": ("chat:write", chat_methods.post_ephemeral),
    "chat.update": ("chat:write", chat_methods.update),
    "conversations.info": (None, people_methods.conversations_info),
    "conversations.open": ("im:write", people_methods.conversations_open),
    "usergroups.list": ("usergroups:read", people_methods.usergroups_list),
    "usergroups.users.list": ("usergroups:read", people_methods.usergroups_users_list),
    "users.info": ("users:read", people_methods.users_info),
    "views.publish": (None, view_methods.publish),
    "views.open": (None, view_methods.open_view),
    "views.push": (None, view_methods.push),
    "views.update": (None, view_methods.update),
}


@dataclass
class Answer:
    """HTTP status, JSON body and extra headers."""

    status: int
    body: Json
    headers: dict[str, str] = field(default_factory=dict)


def call(ws: Workspace, limits: RateLimits, method: str, token: str | None, args: Json) -> Answer:
    """Carries one call out. The caller holds the workspace's lock."""
    scopes = {"X-OAuth-Scopes": ",".join(sorted(ws.scopes))}
    if method not in METHODS:
        return Answer(200, {"ok": False, "error": "unknown_method", "req_method": method})
    needed, run = METHODS[method]
    if needed is not None:
        scopes["X-Accepted-OAuth-Scopes"] = needed
    try:
        if not token:
            raise SlackError("not_authed")
        if token != ws.bot_token:
            raise SlackError("invalid_auth")
        wait = limits.refuse(method, str(args.get("channel") or ""))
        if wait is not None:
            return too_many(wait, scopes)
        if needed is not None:
            people_methods.need_scope(ws, needed)
        return Answer(200, {"ok": True, **run(ws, args)}, scopes)
    except SlackError as refused:
        # An unknown token gets no word about scopes.
        headers = {} if refused.error in ("not_authed", "invalid_auth") else scopes
        return Answer(200, refused.body(), headers)


def too_many(retry_after: int, headers: Mapping[str, str] | None = None) -> Answer:
    """429 with `Retry-After` in whole seconds (Slack docs, rate limits)."""
    body = {"ok": False, "error": "ratelimited"}
    return Answer(429, body, {**(headers or {}), "Retry-After": str(retry_after)})


def decode_args(args: Json) -> Json:
    """Form values as Slack reads them: `blocks`, `view`, `metadata` may be JSON in a string.

    What is not JSON stays a string and is refused by the method.
    """
    decoded: dict[str, Any] = {}
    for key, value in args.items():
        decoded[key] = value
        if key in ("blocks", "view", "metadata") and isinstance(value, str):
            try:
                decoded[key] = json.loads(value)
            except ValueError:
                decoded[key] = value
    return decoded
