"""The lines of `check` about the user groups and people of the settings."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from bot.operate.check_lines import Line, fine, note, skipped, wrong
from bot.operate.check_slack import NOT_SLACK, Slack, Told
from bot.request.who_may import Reason, counts, is_group
from bot.slack.people import NO_SUCH_PERSON, person_of

GROUP, PERSON, APPROVERS = "slack-group", "slack-person", "approvers"

MOST_ASKED_ABOUT = 30
"""How many members of user groups are asked about. Clicks need the same calls per minute."""

_DOES_NOT_COUNT = {
    Reason.DEACTIVATED: "the account is closed",
    Reason.BOT: "it is a bot",
    Reason.GUEST: "it is a guest's account",
    Reason.OTHER_WORKSPACE: "it belongs to another workspace",
}


def groups(slack: Slack) -> Iterator[Line]:
    """A line for each user group, from one call for all: Slack allows few of them a minute."""
    wanted = slack.listed(groups=True)
    if not wanted:
        return
    first, *others = wanted
    none = ("this workspace has no user groups", "list the people by their ids")
    call = partial(
        slack.client.usergroups_list,
        include_users=True,
        include_disabled=True,
        team_id=slack.home.team if slack.home else None,
    )
    steps = {"paid_teams_only": none, "plan_upgrade_required": none}
    told = slack.ask(GROUP, first, call, steps)
    if isinstance(told, Line):
        yield told
        needs = told.words.removeprefix("needs ") if told.ok is None else told.key
        yield from (skipped(GROUP, needs, about=group) for group in others)
        return
    listed = told.get("usergroups")
    found = {g.get("id"): g for g in listed if isinstance(g, dict)} if listed else {}
    for group, settings in wanted.items():
        yield _group(slack, group, settings, found.get(group))


def _group(slack: Slack, group: str, settings: str, told: dict[str, Any] | None) -> Line:
    step = f"correct {settings}"
    if told is None:
        return wrong(GROUP, "no user group has this id", step, about=group)
    name = f"@{told.get('handle')}"
    if told.get("date_delete"):
        step = f"enable it in Slack, or {step}"
        return wrong(GROUP, f"{name} is disabled", step, about=group)
    users = told.get("users")
    members = tuple(u for u in users if isinstance(u, str)) if isinstance(users, list) else ()
    slack.members[group] = members
    if not members:
        return wrong(GROUP, f"nobody is in {name}", f"fill it, or {step}", about=group)
    count = f"{len(members)} {'person' if len(members) == 1 else 'people'}"
    return fine(GROUP, f"{name}, {count}, in {settings}", about=group)


def people(slack: Slack) -> Iterator[Line]:
    """A line for each person in APPROVERS, REQUESTERS, NOTIFY and BREAK_GLASS."""
    for user, settings in slack.listed(groups=False).items():
        step = f"take the id out of {settings}"
        rights = _rights(slack, user, step)
        if isinstance(rights, Line):
            yield rights
        elif rights is Reason.YES:
            yield fine(PERSON, f"in {settings}", about=user)
        else:
            yield wrong(PERSON, _DOES_NOT_COUNT[rights], step, about=user)


def approvers(slack: Slack) -> Iterator[Line]:
    """Whether enough people may approve, for each kind of break. The requester never counts."""
    settings = slack.settings
    force = settings.effective_force_approvals_required
    wanted = {"APPROVALS_REQUIRED": settings.approvals_required}
    if force != settings.approvals_required:
        wanted["FORCE_APPROVALS_REQUIRED"] = force
    able, unsure = _able(slack, max(wanted.values()) + 1)
    groups = [f"{GROUP} {g}" for g in settings.approvers if is_group(g) and g not in slack.members]
    for setting, needed in wanted.items():
        people = f"{able} of the {needed} who are needed may approve"
        if able > needed:
            yield fine(APPROVERS, f"at least {needed} besides whoever asks", about=setting)
        elif able == needed:
            words = f"exactly {needed} may approve, so nobody is left for a request of their own"
            yield note(APPROVERS, words, "name one more in APPROVERS", about=setting)
        elif groups or able + len(unsure) >= needed:
            # Not a failure of this line: the lines of those people or groups say what is wrong.
            yield skipped(APPROVERS, f"{[*groups, *unsure][0]}: {people}", about=setting)
        elif settings.break_glass:
            words = f"{people}, so only BREAK_GLASS is left"
            yield note(APPROVERS, words, "name more people in APPROVERS", about=setting)
        else:
            step = f"name more people in APPROVERS, or lower {setting}"
            yield wrong(APPROVERS, people, step, about=setting)


def _able(slack: Slack, enough: int) -> tuple[int, list[str]]:
    """How many of APPROVERS count, up to `enough`, and the lines of those who might count. Who is
    named comes first, having been read already."""
    named = [who for who in slack.settings.approvers if not is_group(who)]
    groups = [who for who in slack.settings.approvers if is_group(who)]
    members = [who for group in groups for who in slack.members.get(group, ())]
    able = 0
    unsure: list[str] = []
    for who in dict.fromkeys((*named, *members[:MOST_ASKED_ABOUT])):
        if able >= enough:
            break
        rights = _rights(slack, who, "")
        if rights is Reason.YES:
            able += 1
        elif isinstance(rights, Line) and rights.ok is None:
            unsure.append(rights.words.removeprefix("needs "))
        elif isinstance(rights, Line) or who in named:
            unsure.append(f"{PERSON} {who}")
    return able, unsure


def _rights(slack: Slack, user: str, step: str) -> Reason | Line:
    """Whether the person counts, or why Slack could not say it. Asked once per person."""
    if user not in slack.rights:
        steps = dict.fromkeys(
            NO_SUCH_PERSON, ("nobody whom this workspace knows has this id", step)
        )
        told = slack.ask(PERSON, user, partial(slack.client.users_info, user=user), steps)
        slack.rights[user] = told if isinstance(told, Line) else _counts(slack, user, told)
    return slack.rights[user]


def _counts(slack: Slack, user: str, told: Told) -> Reason | Line:
    shown = told.get("user")
    if slack.home is None or not isinstance(shown, dict) or shown.get("id") != user:
        return wrong(PERSON, "the answer is about somebody else", NOT_SLACK, about=user)
    return counts(person_of(shown), slack.home)
