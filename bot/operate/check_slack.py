"""The lines of `check` about Slack: tokens, scopes, channels, user groups and people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias
from urllib.error import URLError
from urllib.parse import urlsplit

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.operate.health import Checks, Line, fine, note, skipped, wrong
from bot.request.who_may import Home, Reason, counts, is_group
from bot.settings import Settings
from bot.slack.manifest import SCOPES
from bot.slack.people import NO_SUCH_PERSON, Myself, myself, person_of
from bot.slack.send.client import SecretNow, api_client, proxy_for
from bot.slack.send.problems import BROKEN, Kind, problem_of

TOKEN, SCOPE, APP_TOKEN = "slack-token", "slack-scope", "slack-app-token"
CHANNEL, GROUP, PERSON, APPROVERS = "slack-channel", "slack-group", "slack-person", "approvers"

TIMEOUT_S = 10
"""Per socket operation. Longer than for a click, since nobody waits for an acknowledgement."""

MOST_ASKED_ABOUT = 30
"""How many members of user groups are asked about. Clicks need the same calls per minute."""

REFUSED_FOR_GOOD = (
    *("account_inactive", "invalid_auth", "not_allowed_token_type"),
    *("not_authed", "token_expired", "token_revoked"),
)
"""With these errors the token will never work (Slack docs, errors of auth.test)."""

NOT_SLACK = "does SLACK_API_URL name Slack?"

DOES_NOT_COUNT = {
    Reason.DEACTIVATED: "the account is closed",
    Reason.BOT: "it is a bot",
    Reason.GUEST: "it is a guest's account",
    Reason.OTHER_WORKSPACE: "it belongs to another workspace",
}
Told: TypeAlias = Mapping[str, Any]


@dataclass
class Slack:
    """One check of Slack. `on_identity` is called with whose token it is, once it has proved right.
    `away`: the line that found that Slack does not answer, or wants to be left alone for a while.
    Each further call might wait just as long in vain, so what comes after it is skipped."""

    settings: Settings
    client: WebClient
    on_identity: Callable[[Myself], None] = lambda _me: None
    home: Home | None = None
    bot_name: str = ""
    granted: frozenset[str] | None = None
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    rights: dict[str, Reason | Line] = field(default_factory=dict)
    away: str = ""

    def listed(self, groups: bool) -> dict[str, str]:
        """Each user group, or each person, of the settings: and the settings that list it."""
        lists = {
            "APPROVERS": self.settings.approvers,
            "REQUESTERS": self.settings.requesters,
            "NOTIFY": self.settings.notify or (),
            "BREAK_GLASS": self.settings.break_glass,
        }
        everybody = dict.fromkeys(who for ids in lists.values() for who in ids)
        return {
            who: " and ".join(name for name, ids in lists.items() if who in ids)
            for who in everybody
            if is_group(who) == groups
        }

    def ask(
        self,
        line: str,
        about: str,
        call: Callable[[], Any],
        means: Mapping[str, tuple[str, str]] | None = None,
    ) -> Told | Line:
        """Slack's answer, or what this line reports instead. `means`: for some of Slack's error
        words, what they mean here and what to do."""
        if self.away:
            return skipped(line, self.away, about=about)
        try:
            answer = call()
        except (SlackApiError, *BROKEN) as error:
            problem = problem_of(error)
            if means and problem.word in means:
                return wrong(line, *means[problem.word], about=about)
            lacking = [s for s in SCOPES if self.granted is not None and s not in self.granted]
            if problem.word == "missing_scope" and lacking and isinstance(error, SlackApiError):
                needed = str(error.response.get("needed", "")).split(",")
                scope = next((scope for scope in needed if scope in lacking), lacking[0])
                return skipped(line, f"{SCOPE} {scope}", about=about)
            found = wrong(line, *_words(error), about=about)
            if problem.kind is not Kind.FINAL:
                self.away = found.key
            return found
        return answer.data if isinstance(answer.data, dict) else {}


def slack_of(settings: Settings, bot_token: SecretNow | None = None) -> Slack:
    """`bot_token`: as it is set now, where it may have changed."""
    token = bot_token or settings.slack_bot_token.get_secret_value()
    return Slack(settings, _client(settings, token))


def _client(settings: Settings, token: str | SecretNow) -> WebClient:
    return api_client(token, base_url=settings.slack_api_url, timeout_s=TIMEOUT_S)


def everything(slack: Slack) -> Checks:
    return (
        *at_start(slack),
        (APP_TOKEN, "", lambda: app_token(slack)),
        (GROUP, TOKEN, lambda: groups(slack)),
        (PERSON, TOKEN, lambda: people(slack)),
        (APPROVERS, TOKEN, lambda: approvers(slack)),
    )


def at_start(slack: Slack) -> Checks:
    """Without people and groups: Slack counts those calls together with the ones that a click
    needs, and there a 429 means no. Nor the app token: the socket itself shows in `/readyz` whether
    it works, and needs the few calls of that method to connect again."""
    return (
        (TOKEN, "", lambda: [token(slack)]),
        (SCOPE, TOKEN, lambda: scopes(slack)),
        (CHANNEL, TOKEN, lambda: channels(slack)),
    )


def proxy_of(url: str) -> str | None:
    """`name:port` of the proxy for Slack's Web API, without credentials."""
    proxy = proxy_for(url)
    return urlsplit(proxy).netloc.rpartition("@")[2] if proxy else None


def _words(error: Exception) -> tuple[str, str]:
    """What happened, and what to do."""
    problem = problem_of(error)
    if problem.kind is Kind.LIMITED:
        wait = f"{problem.retry_after_s} s"
        return f"Slack wants to be asked again in {wait}", f"look again in {wait}"
    if not isinstance(error, SlackApiError):
        why = str(error.reason) if isinstance(error, URLError) else problem.word
        step = "is Slack within reach from here, and is HTTPS_PROXY right?"
        return f"Slack gave no answer that can be read ({why})", step
    if problem.word.startswith("http_"):  # the answer had no error word of Slack's
        status = error.response.status_code
        step = "does SLACK_API_URL name Slack, or does a proxy answer in its place?"
        return f"the answer was HTTP {status}, but not by Slack's API", step
    return f"Slack says {problem.word}", "Slack's documentation of that word tells why"


def token(slack: Slack) -> Line:
    """`auth.test`: whose token it is. The scopes come with it (Slack docs, `X-OAuth-Scopes`)."""
    headers: dict[str, str] = {}

    def call() -> Any:
        answer = slack.client.auth_test()
        headers.update({str(key).lower(): str(value) for key, value in answer.headers.items()})
        return answer

    step = "copy the bot token (xoxb-) of the installed app again"
    refused = {w: (f"Slack refuses SLACK_BOT_TOKEN ({w})", step) for w in REFUSED_FOR_GOOD}
    told = slack.ask(TOKEN, "", call, refused)
    if isinstance(told, Line):
        final = (told.words, told.next_step) in refused.values()
        return wrong(TOKEN, told.words, told.next_step, final=final)
    scopes = headers.get("x-oauth-scopes")
    if scopes is not None:
        slack.granted = frozenset(s.strip() for s in scopes.split(",") if s.strip())
    me, user = myself(told), told.get("user")
    if me is None or not isinstance(user, str):
        return wrong(TOKEN, "the answer to auth.test names no workspace and no bot", NOT_SLACK)
    if me.bot is None:
        step = "give the bot token, it begins with xoxb-"
        return wrong(TOKEN, f"SLACK_BOT_TOKEN is {user}'s own and no bot's", step)
    slack.home, slack.bot_name = me.home, user
    slack.on_identity(me)
    return fine(TOKEN, f"workspace {told.get('team')} ({me.team}), bot @{user}")


def scopes(slack: Slack) -> Iterator[Line]:
    """One line for each. Otherwise a missing scope only shows at the first click that needs it."""
    if slack.granted is None:
        step = "compare them with the manifest"
        yield note(SCOPE, "Slack did not say which scopes the token has", step)
        return
    for scope in SCOPES:
        if scope in slack.granted:
            yield fine(SCOPE, about=scope)
        else:
            step = "add it under OAuth & Permissions and install the app again"
            yield wrong(SCOPE, "the bot token lacks it", step, about=scope)


def app_token(slack: Slack) -> Iterator[Line]:
    """`apps.connections.open` only returns an address. It does not connect anything."""
    secret = slack.settings.slack_app_token
    if secret is None:
        return
    client = _client(slack.settings, secret.get_secret_value())
    step = "copy the app-level token (xapp-) again, it needs the scope connections:write"
    words = (*REFUSED_FOR_GOOD, "missing_scope")
    refused = {word: (f"Slack refuses SLACK_APP_TOKEN ({word})", step) for word in words}
    call = partial(client.apps_connections_open, app_token=secret.get_secret_value())
    told = slack.ask(APP_TOKEN, "", call, refused)
    if isinstance(told, Line):
        yield told
    elif not told.get("url"):
        yield wrong(APP_TOKEN, "Slack named no address for Socket Mode", step)
    else:
        yield fine(APP_TOKEN, "Slack names an address for Socket Mode")


def channels(slack: Slack) -> Iterator[Line]:
    """A line for each of CHANNELS."""
    invite = f"/invite @{slack.bot_name}"
    if not slack.settings.channels:
        step = f"in each where it is to be used: {invite}"
        yield note(CHANNEL, "CHANNELS is empty: the command works in every channel", step)
    # If the bot is not in a private channel, Slack answers as if the channel did not exist (Slack
    # docs, conversations.info).
    hidden = ("it does not exist, or it is private and the bot is not in it", invite)
    for channel in slack.settings.channels:
        call = partial(slack.client.conversations_info, channel=channel)
        told = slack.ask(CHANNEL, channel, call, {"channel_not_found": hidden})
        shown = None if isinstance(told, Line) else told.get("channel")
        if isinstance(told, Line):
            yield told
        elif not isinstance(shown, dict):
            yield wrong(CHANNEL, "the answer names no channel", NOT_SLACK, about=channel)
        elif shown.get("is_archived"):
            step = "restore it, or take it out of CHANNELS"
            yield wrong(CHANNEL, f"#{shown.get('name')} is archived", step, about=channel)
        elif not shown.get("is_member"):
            words = f"the bot is not in #{shown.get('name')}"
            yield wrong(CHANNEL, words, f"there: {invite}", about=channel)
        else:
            yield fine(CHANNEL, f"the bot is in #{shown.get('name')}", about=channel)


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
    means = {"paid_teams_only": none, "plan_upgrade_required": none}
    told = slack.ask(GROUP, first, call, means)
    if isinstance(told, Line):
        yield told
        needs = told.words.removeprefix("needs ") if told.ok is None else told.key
        yield from (skipped(GROUP, needs, about=group) for group in others)
        return
    found = {g.get("id"): g for g in told.get("usergroups") or () if isinstance(g, dict)}
    for group, settings in wanted.items():
        shown, step = found.get(group), f"correct {settings}"
        if shown is None:
            yield wrong(GROUP, "no user group has this id", step, about=group)
            continue
        name, users = f"@{shown.get('handle')}", shown.get("users")
        if shown.get("date_delete"):
            step = f"enable it in Slack, or {step}"
            yield wrong(GROUP, f"{name} is disabled", step, about=group)
            continue
        members = tuple(u for u in users if isinstance(u, str)) if isinstance(users, list) else ()
        slack.members[group] = members
        if members:
            count = f"{len(members)} {'person' if len(members) == 1 else 'people'}"
            yield fine(GROUP, f"{name}, {count}, in {settings}", about=group)
        else:
            yield wrong(GROUP, f"nobody is in {name}", f"fill it, or {step}", about=group)


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
            yield wrong(PERSON, DOES_NOT_COUNT[rights], step, about=user)


def approvers(slack: Slack) -> Iterator[Line]:
    """Whether enough people may approve, for each kind of break. The requester never counts."""
    settings = slack.settings
    force = settings.effective_force_approvals_required
    wanted = {"APPROVALS_REQUIRED": settings.approvals_required}
    if force != settings.approvals_required:
        wanted["FORCE_APPROVALS_REQUIRED"] = force
    able, unsure = _able(slack, max(wanted.values()) + 1)
    unread = [f"{GROUP} {g}" for g in settings.approvers if is_group(g) and g not in slack.members]
    for setting, needed in wanted.items():
        people = f"{able} of the {needed} who are needed may approve"
        if able > needed:
            yield fine(APPROVERS, f"at least {needed} besides whoever asks", about=setting)
        elif able == needed:
            words = f"exactly {needed} may approve, so nobody is left for a request of their own"
            yield note(APPROVERS, words, "name one more in APPROVERS", about=setting)
        elif unread or able + len(unsure) >= needed:
            # Not a failure of this line: the lines of those people or groups say what is wrong.
            yield skipped(APPROVERS, f"{[*unread, *unsure][0]}: {people}", about=setting)
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
    in_groups = [w for g in slack.settings.approvers for w in slack.members.get(g, ())]
    able = 0
    unsure: list[str] = []
    for who in dict.fromkeys((*named, *in_groups[:MOST_ASKED_ABOUT])):
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
        nobody = ("nobody whom this workspace knows has this id", step)
        call = partial(slack.client.users_info, user=user)
        told = slack.ask(PERSON, user, call, dict.fromkeys(NO_SUCH_PERSON, nobody))
        shown = None if isinstance(told, Line) else told.get("user")
        if isinstance(told, Line):
            slack.rights[user] = told
        elif slack.home is None or not isinstance(shown, dict) or shown.get("id") != user:
            words = "the answer is about somebody else"
            slack.rights[user] = wrong(PERSON, words, NOT_SLACK, about=user)
        else:
            slack.rights[user] = counts(person_of(shown), slack.home)
    return slack.rights[user]
