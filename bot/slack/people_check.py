"""The lines of `check` about the people and user groups of the settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from bot.core.finding import Finding, fine, note, skipped, wrong
from bot.core.who_may import Reason, counts, is_group
from bot.slack.looking import Slack
from bot.slack.people import NO_SUCH_PERSON, person_of

PERSON, GROUP, APPROVERS = "slack-person", "slack-group", "approvers"

MOST_ASKED_ABOUT = 30
"""How many members of user groups are asked about. Clicks need the same calls per minute."""

_STANDINGS = {
    Reason.DEACTIVATED: "the account is closed",
    Reason.BOT: "it is a bot",
    Reason.GUEST: "it is a guest's account",
    Reason.OTHER_WORKSPACE: "it belongs to another workspace",
}


def people(slack: Slack) -> Iterator[Finding]:
    """A line for each person in APPROVERS, REQUESTERS, NOTIFY and BREAK_GLASS."""
    for user, settings in slack.wanted.people.items():
        step = f"take the id out of {_and(settings)}"
        standing = _standing(slack, user, step)
        if isinstance(standing, Finding):
            yield standing
        elif standing is Reason.YES:
            yield fine(PERSON, f"in {_and(settings)}", about=user)
        else:
            yield wrong(PERSON, _STANDINGS[standing], step, about=user)


def groups(slack: Slack) -> Iterator[Finding]:
    """A line for each user group, from one call for all: Slack allows few of them a minute."""
    wanted = slack.wanted.groups
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
    told = slack.ask(GROUP, first, "usergroups.list", call, steps)
    if isinstance(told, Finding):
        yield told
        for group in others:
            if told.ok is None:
                yield told.model_copy(update={"about": group})
            else:
                yield skipped(GROUP, told.key, about=group)
        return
    listed = told.get("usergroups")
    found = {g.get("id"): g for g in listed if isinstance(g, dict)} if listed else {}
    for group, settings in wanted.items():
        yield _group(slack, group, _and(settings), found.get(group))


def _group(slack: Slack, group: str, settings: str, told: dict[str, Any] | None) -> Finding:
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


def approvers(slack: Slack) -> Iterator[Finding]:
    """Whether enough people may approve, for each kind of break. The requester never counts."""
    wanted = slack.wanted
    able, unsure = _able(slack, max(wanted.approvals.values(), default=0) + 1)
    groups = [f"{GROUP} {g}" for g in wanted.approvers if is_group(g) and g not in slack.members]
    for setting, needed in wanted.approvals.items():
        people = f"{able} of the {needed} who are needed may approve"
        if able > needed:
            yield fine(APPROVERS, f"at least {needed} besides whoever asks", about=setting)
        elif able == needed:
            words = f"exactly {needed} may approve, so nobody is left for a request of their own"
            yield note(APPROVERS, words, "name one more in APPROVERS", about=setting)
        elif groups or able + len(unsure) >= needed:
            # Not a failure of this line: the lines of those people or groups say what is wrong.
            yield skipped(APPROVERS, f"{[*groups, *unsure][0]}: {people}", about=setting)
        elif wanted.break_glass:
            words = f"{people}, so only BREAK_GLASS is left"
            yield note(APPROVERS, words, "name more people in APPROVERS", about=setting)
        else:
            step = f"name more people in APPROVERS, or lower {setting}"
            yield wrong(APPROVERS, people, step, about=setting)


def _able(slack: Slack, enough: int) -> tuple[int, list[str]]:
    """How many of APPROVERS count, up to `enough`, and the lines of those who might count."""
    able: set[str] = set()
    unsure: list[str] = []
    for who in _each_approver(slack):
        if len(able) >= enough:
            break
        standing = _standing(slack, who, "")
        if standing is Reason.YES:
            able.add(who)
        elif isinstance(standing, Finding) and standing.ok is None:
            unsure.append(standing.words.removeprefix("needs "))
        elif isinstance(standing, Finding) or who in slack.wanted.people:
            unsure.append(f"{PERSON} {who}")
    return len(able), unsure


def _each_approver(slack: Slack) -> Iterable[str]:
    """Those who are named come first, since they have been read already."""
    named = [who for who in slack.wanted.approvers if not is_group(who)]
    groups = [who for who in slack.wanted.approvers if is_group(who)]
    members = [who for group in groups for who in slack.members.get(group, ())]
    return dict.fromkeys((*named, *members[:MOST_ASKED_ABOUT]))


def _standing(slack: Slack, user: str, step: str) -> Reason | Finding:
    """Whether the person counts, or why Slack could not say it. Asked once per person."""
    if user not in slack.standings:
        slack.standings[user] = _asked(slack, user, step)
    return slack.standings[user]


def _asked(slack: Slack, user: str, step: str) -> Reason | Finding:
    nobody = ("nobody whom this workspace knows has this id", step)
    steps = dict.fromkeys(NO_SUCH_PERSON, nobody)
    call = partial(slack.client.users_info, user=user)
    told = slack.ask(PERSON, user, "users.info", call, steps)
    if isinstance(told, Finding):
        return told
    shown = told.get("user")
    if slack.home is None or not isinstance(shown, dict) or shown.get("id") != user:
        step = "does SLACK_API_URL name Slack?"
        return wrong(PERSON, "the answer is about somebody else", step, about=user)
    return counts(person_of(shown), slack.home)


def _and(names: Iterable[str]) -> str:
    return " and ".join(names)
