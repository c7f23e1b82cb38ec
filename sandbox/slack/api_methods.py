"""The Web API: one call from its arguments to Slack's answer, in Slack's order of checks; its rate
limits, on an injected clock; and the methods that tell who is who (Slack docs, one page each)."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from . import chat_methods, modals
from .records import Group, Json, SlackError, required, truthy
from .workspace import Workspace

Method = Callable[[Workspace, Json], Json]


#: Calls a minute by tier; the documented figure is taken as the most that passes.
TIER_2, TIER_3, TIER_4 = 20, 50, 100

PER_MINUTE = {
    "chat.update": TIER_3,
    "views.open": TIER_4,
    "views.publish": TIER_4,
    "views.update": TIER_4,
    "usergroups.list": TIER_2,
    "usergroups.users.list": TIER_2,
    "users.info": TIER_4,
    "conversations.info": TIER_3,
    "conversations.members": TIER_4,
}

#: `chat.postMessage`: one a second and channel. Slack tolerates "short bursts" without a figure;
#: three is an assumption, small enough for a careless poster to be refused.
POSTS_PER_SECOND = 1.0
POST_BURST = 3

_WINDOW_SECONDS = 60.0


class RateLimits:
    """Counts calls and says how long a refused one has to wait. A refused call is not counted."""

    def __init__(self, clock: Callable[[], float], on: bool = True) -> None:
        self.clock, self.on = clock, on
        self._calls: dict[str, deque[float]] = {}
        self._tokens: dict[str, tuple[float, float]] = {}

    def refuse(self, method: str, channel: str = "") -> int | None:
        """None: the call passes and is counted. Otherwise whole seconds for `Retry-After`."""
        if self.on and method == "chat.postMessage":
            return self._refuse_post(channel)
        return self._refuse_in_window(method) if self.on and method in PER_MINUTE else None

    def _refuse_post(self, channel: str) -> int | None:
        now = self.clock()
        tokens, since = self._tokens.get(channel, (POST_BURST, now))
        tokens = min(POST_BURST, tokens + max(0.0, now - since) * POSTS_PER_SECOND)
        # A hair of tolerance: a caller who waits exactly Retry-After must not be refused again
        # because 0.1 s ten times is a little less than 1 s in floating point.
        if tokens < 1.0 - 1e-6:
            self._tokens[channel] = (tokens, now)
            return max(1, math.ceil((1.0 - tokens) / POSTS_PER_SECOND - 1e-6))
        self._tokens[channel] = (tokens - 1.0, now)
        return None

    def _refuse_in_window(self, method: str) -> int | None:
        now = self.clock()
        calls = self._calls.setdefault(method, deque())
        while calls and calls[0] <= now - _WINDOW_SECONDS:
            calls.popleft()
        if len(calls) >= PER_MINUTE[method]:
            return max(1, math.ceil(calls[0] + _WINDOW_SECONDS - now))
        calls.append(now)
        return None


@dataclass
class Answer:
    """HTTP status, JSON body and extra headers."""

    status: int
    body: Json
    headers: dict[str, str] = field(default_factory=dict)


def call(ws: Workspace, limits: RateLimits, method: str, token: str | None, args: Json) -> Answer:
    """Carries one call out. The caller holds the workspace's lock."""
    if method not in METHODS:
        return Answer(200, {"ok": False, "error": "unknown_method", "req_method": method})
    if token != ws.bot_token:
        # An unknown token gets no word about scopes.
        return Answer(200, {"ok": False, "error": ws.refusal(token)})
    needed, run = METHODS[method]
    scopes = {"X-OAuth-Scopes": ",".join(sorted(ws.scopes))}
    if needed is not None:
        scopes["X-Accepted-OAuth-Scopes"] = needed
    wait = limits.refuse(method, str(args.get("channel") or ""))
    if wait is not None:
        body = {"ok": False, "error": "ratelimited"}
        return Answer(429, body, {**scopes, "Retry-After": str(wait)})
    try:
        _need_scope(ws, needed)
        return Answer(200, {"ok": True, **run(ws, args)}, scopes)
    except SlackError as refused:
        return Answer(200, refused.body(), scopes)


def _need_scope(ws: Workspace, needed: str | None) -> None:
    """Raises SlackError `missing_scope` with `needed` and `provided`."""
    if needed is not None and needed not in ws.scopes:
        raise SlackError("missing_scope", needed=needed, provided=",".join(sorted(ws.scopes)))


def _auth_test(ws: Workspace, args: Json) -> Json:
    """Who the token is. `enterprise_id` only on Enterprise Grid."""
    body: Json = {
        "url": "https://local.slack.com/",
        "team": ws.team_name,
        "user": ws.people[ws.bot_user_id].name,
        "team_id": ws.team_id,
        "user_id": ws.bot_user_id,
        "bot_id": ws.bot_id,
        "is_enterprise_install": False,
    }
    if ws.enterprise_id is not None:
        body["enterprise_id"] = ws.enterprise_id
    return body


def _users_info(ws: Workspace, args: Json) -> Json:
    """`is_stranger` marks people of other workspaces; on Grid `enterprise_user` names theirs."""
    (user,) = required(args, "user")
    if user not in ws.people:
        raise SlackError("user_not_found")
    person = ws.people[user]
    shown: Json = {
        "id": person.id,
        "team_id": person.team_id,
        "name": person.handle,
        "deleted": person.deleted,
        "real_name": person.name,
        "profile": {"display_name": person.display_name},
        "is_bot": person.bot,
    }
    if not person.deleted:
        # Slack leaves these away for deactivated accounts: a reader must not need them.
        shown |= {
            "is_restricted": person.guest or person.ultra_guest,
            "is_ultra_restricted": person.ultra_guest,
            "tz": person.zone,
        }
    if person.team_id != ws.team_id and person.enterprise_id != ws.enterprise_id:
        shown["is_stranger"] = True
    if person.enterprise_id is not None:
        shown["enterprise_user"] = {
            "id": person.id,
            "enterprise_id": person.enterprise_id,
            "enterprise_name": "local grid",
            "teams": [person.team_id],
        }
    return {"user": shown}


def _usergroups_list(ws: Workspace, args: Json) -> Json:
    _need_paid_plan(ws)
    groups = [
        {
            "id": group.id,
            "team_id": ws.team_id,
            "is_usergroup": True,
            "name": group.handle,
            "handle": group.handle,
            "description": "",
            "date_delete": int(ws.clock()) if group.disabled else 0,
            **({"users": list(group.members)} if truthy(args.get("include_users")) else {}),
        }
        for group in ws.groups.values()
        if _is_shown(group, args)
    ]
    return {"usergroups": groups}


def _usergroups_users_list(ws: Workspace, args: Json) -> Json:
    """Ids of the members. Assumption on the safe side: deactivated accounts stay in the list."""
    (group_id,) = required(args, "usergroup")
    _need_paid_plan(ws)
    group = ws.groups.get(group_id)
    if group is None or not _is_shown(group, args):
        raise SlackError("no_such_subteam")
    return {"users": list(group.members)}


def _is_shown(group: Group, args: Json) -> bool:
    return not group.disabled or truthy(args.get("include_disabled"))


def _need_paid_plan(ws: Workspace) -> None:
    """User groups exist on paid plans only. The error name is an assumption."""
    if not ws.paid_plan:
        raise SlackError("paid_teams_only")


def _conversations_info(ws: Workspace, args: Json) -> Json:
    """A private channel without the bot is `channel_not_found`, as if it were not there. The scope
    depends on the kind of conversation."""
    (channel_id,) = required(args, "channel")
    channel = ws.channels.get(channel_id)
    if channel is None or channel.dm_with is not None:
        raise SlackError("channel_not_found")
    _need_scope(ws, "groups:read" if channel.private else "channels:read")
    if channel.private and not channel.bot_is_member:
        raise SlackError("channel_not_found")
    shown = {
        "id": channel.id,
        "name": channel.name,
        "is_channel": not channel.private,
        "is_group": channel.private,
        "is_im": False,
        "is_private": channel.private,
        "is_archived": channel.archived,
        "is_member": channel.bot_is_member,
    }
    return {"channel": shown}


def _conversations_members(ws: Workspace, args: Json) -> Json:
    """Page by page; the cursor is the place of the next one. The scopes as for `info`."""
    _conversations_info(ws, args)
    channel = ws.channels[str(args["channel"])]
    everybody = [who for who in ws.people if channel.members is None or who in channel.members]
    first = int(args.get("cursor") or 0)
    after = first + int(args.get("limit") or 100)
    more = str(after) if after < len(everybody) else ""
    return {"members": everybody[first:after], "response_metadata": {"next_cursor": more}}


#: Method, the scope it needs (None: any token), and what it does.
METHODS: dict[str, tuple[str | None, Method]] = {
    "auth.test": (None, _auth_test),
    "chat.postMessage": ("chat:write", chat_methods.post_message),
    "chat.update": ("chat:write", chat_methods.update),
    "conversations.info": (None, _conversations_info),
    "conversations.members": (None, _conversations_members),
    "usergroups.list": ("usergroups:read", _usergroups_list),
    "usergroups.users.list": ("usergroups:read", _usergroups_users_list),
    "users.info": ("users:read", _users_info),
    "views.publish": (None, modals.publish),
    "views.open": (None, modals.open_view),
    "views.update": (None, modals.update),
}
