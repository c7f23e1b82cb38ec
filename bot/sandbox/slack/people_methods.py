"""`auth.test`, `users.info`, `usergroups.*`, `conversations.*` (Slack docs, one page each)."""

from __future__ import annotations

from .errors import SlackError, required, truthy
from .records import Channel, Group, Json, Person
from .workspace import Workspace


def need_scope(ws: Workspace, needed: str) -> None:
    """Raises SlackError `missing_scope` with `needed` and `provided`."""
    if needed not in ws.scopes:
        raise SlackError("missing_scope", needed=needed, provided=",".join(sorted(ws.scopes)))


def auth_test(ws: Workspace, args: Json) -> Json:
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


def users_info(ws: Workspace, args: Json) -> Json:
    (user,) = required(args, "user")
    if user not in ws.people:
        raise SlackError("user_not_found")
    return {"user": user_json(ws, ws.people[user])}


def user_json(ws: Workspace, person: Person) -> Json:
    """`is_stranger` marks people of other workspaces; on Grid `enterprise_user` names theirs."""
    ours = person.team_id == ws.team_id
    shown: Json = {
        "id": person.id,
        "team_id": person.team_id,
        "name": person.name.lower().replace(" ", "."),
        "deleted": person.deleted,
        "real_name": person.name,
        "profile": {"real_name": person.name, "display_name": person.name},
        "is_bot": person.bot,
        "is_app_user": False,
        "updated": int(ws.clock()),
    }
    if not person.deleted:
        # Slack leaves these away for deactivated accounts: a reader must not need them.
        shown |= {
            "is_restricted": person.guest or person.ultra_guest,
            "is_ultra_restricted": person.ultra_guest,
            "is_admin": False,
            "is_owner": False,
            "tz": "Etc/UTC",
        }
    if not ours and person.enterprise_id != ws.enterprise_id:
        shown["is_stranger"] = True
    if person.enterprise_id is not None:
        shown["enterprise_user"] = {
            "id": person.id,
            "enterprise_id": person.enterprise_id,
            "enterprise_name": "local grid",
            "is_admin": False,
            "is_owner": False,
            "teams": [person.team_id],
        }
    return shown


def usergroups_list(ws: Workspace, args: Json) -> Json:
    _need_paid_plan(ws)
    groups = []
    for group in ws.groups.values():
        if group.disabled and not truthy(args.get("include_disabled")):
            continue
        shown = _group_json(ws, group)
        if truthy(args.get("include_users")):
            shown["users"] = list(group.members)
        if truthy(args.get("include_count")):
            shown["user_count"] = len(group.members)
        groups.append(shown)
    return {"usergroups": groups}


def usergroups_users_list(ws: Workspace, args: Json) -> Json:
    """Ids of the members. Assumption on the safe side: deactivated accounts stay in the list."""
    (group_id,) = required(args, "usergroup")
    _need_paid_plan(ws)
    group = ws.groups.get(group_id)
    if group is None or (group.disabled and not truthy(args.get("include_disabled"))):
        raise SlackError("no_such_subteam")
    return {"users": list(group.members)}


def conversations_info(ws: Workspace, args: Json) -> Json:
    """A private channel without the bot is `channel_not_found`, as if it were not there."""
    (channel_id,) = required(args, "channel")
    channel = ws.channels.get(channel_id)
    if channel is None:
        raise SlackError("channel_not_found")
    if channel.dm_with is not None:
        need_scope(ws, "im:read")
    else:
        need_scope(ws, "groups:read" if channel.private else "channels:read")
    if channel.private and not channel.bot_is_member:
        raise SlackError("channel_not_found")
    return {"channel": _channel_json(channel)}


def conversations_open(ws: Workspace, args: Json) -> Json:
    """Opens a direct message with one person."""
    (users,) = required(args, "users")
    person = ws.people.get(users)
    if person is None:
        raise SlackError("user_not_found")
    if person.deleted:
        raise SlackError("user_disabled")
    return {"channel": {"id": ws.direct_channel(users).id}}


def _need_paid_plan(ws: Workspace) -> None:
    """User groups exist on paid plans only. The error name is an assumption."""
    if not ws.paid_plan:
        raise SlackError("paid_teams_only")


def _group_json(ws: Workspace, group: Group) -> Json:
    return {
        "id": group.id,
        "team_id": ws.team_id,
        "is_usergroup": True,
        "name": group.handle,
        "handle": group.handle,
        "description": "",
        "date_delete": int(ws.clock()) if group.disabled else 0,
    }


def _channel_json(channel: Channel) -> Json:
    if channel.dm_with is not None:
        return {"id": channel.id, "is_im": True, "user": channel.dm_with, "is_archived": False}
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": not channel.private,
        "is_group": channel.private,
        "is_im": False,
        "is_private": channel.private,
        "is_archived": channel.archived,
        "is_member": channel.bot_is_member,
    }
