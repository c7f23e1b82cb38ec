"""The lines of `check` about Slack: tokens, scopes, channels, user groups and people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.operate.check_line import Check, Failed, Line, fine, note, wrong
from bot.request.pools import Pool, missing
from bot.request.who_may import Home, Reason, counts, is_group
from bot.settings import Settings
from bot.slack.manifest import SCOPES
from bot.slack.people import NO_SUCH_PERSON, Myself, myself, person_of
from bot.slack.send.slack_problem import BROKEN, Kind, problem_of
from bot.slack.send.web_api import SecretNow, api_client

TOKEN, SCOPE, APP_TOKEN = "slack-token", "slack-scope", "slack-app-token"
CHANNEL, GROUP, PERSON, APPROVERS = "slack-channel", "slack-group", "slack-person", "approvers"

TIMEOUT_S = 10
"""Per socket operation. Longer than for a click, since nobody waits for an acknowledgement."""

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


@dataclass
class Slack:
    """One check of Slack, and what its lines have learned for those after them. `on_identity` is
    called with whose token it is, once it has proved right."""

    settings: Settings
    client: WebClient
    on_identity: Callable[[Myself], None] = lambda _me: None
    home: Home | None = None
    bot_name: str = ""
    granted: frozenset[str] | None = None
    groups: Mapping[str, Mapping[str, Any]] | None = None
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    rights: dict[str, Reason] = field(default_factory=dict)
    alike: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The accounts that show this real name, or whose address begins like this."""

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
        self, call: Callable[[], Any], means: Mapping[str, Line] | None = None
    ) -> Mapping[str, Any]:
        """Slack's answer; raises Failed without one. `means`: the line for some of Slack's error
        words."""
        try:
            answer = call()
        except (SlackApiError, *BROKEN) as error:
            problem = problem_of(error)
            if means and problem.word in means:
                raise Failed(means[problem.word]) from error
            away = problem.kind is not Kind.FINAL
            raise Failed(wrong(*_words(error), away=away)) from error
        return answer.data if isinstance(answer.data, dict) else {}


def slack_of(settings: Settings, bot_token: SecretNow | None = None) -> Slack:
    """`bot_token`: as it is set now, where it may have changed."""
    token = bot_token or settings.slack_bot_token.get_secret_value()
    return Slack(settings, api_client(token, base_url=settings.slack_api_url, timeout_s=TIMEOUT_S))


def everything(slack: Slack) -> Iterator[Check]:
    settings = slack.settings
    yield from at_start(slack)
    if secret := settings.slack_app_token:
        yield Check(APP_TOKEN, partial(app_token, slack, secret.get_secret_value()))
    for who, listed_in in slack.listed(groups=True).items():
        yield Check(GROUP, partial(group, slack, who, listed_in), (TOKEN, SCOPE), who)
    for who, listed_in in slack.listed(groups=False).items():
        yield Check(PERSON, partial(person, slack, who, listed_in), (TOKEN, SCOPE), who)
    policy = settings.policy()
    plain, force = policy.required(force=False), policy.required(force=True)
    for pools, prefix in ((plain, ""), *(((force, "FORCE_"),) if force != plain else ())):
        for pool in pools:
            suffix = f"__{pool.name.upper()}" if pool.name else ""
            setting = f"{prefix}APPROVALS_REQUIRED{suffix}"
            find = partial(approvers, slack, setting, pool, f"APPROVERS{suffix}")
            yield Check(APPROVERS, find, (TOKEN, SCOPE, GROUP, PERSON), setting)
        if len(pools) > 1:
            find = partial(all_pools, slack, pools)
            yield Check(APPROVERS, find, (TOKEN, SCOPE, GROUP, PERSON), f"{prefix}pools")
    alike = partial(one_person, slack)
    yield Check(APPROVERS, alike, (TOKEN, SCOPE, GROUP, PERSON), "SAME_PERSON")


def at_start(slack: Slack) -> Iterator[Check]:
    """Without people and groups: Slack counts those calls together with the ones that a click
    needs, and there a 429 means no. Nor the app token: the socket itself shows in `/readyz` whether
    it works, and needs the few calls of that method to connect again."""
    yield Check(TOKEN, partial(token, slack))
    for wanted in SCOPES if slack.granted is not None else ("",):
        yield Check(SCOPE, partial(scope, slack, wanted), (TOKEN,), wanted)
    for channel_id in slack.settings.channels or ("",):
        yield Check(CHANNEL, partial(channel, slack, channel_id), (TOKEN, SCOPE), channel_id)


def _words(error: Exception) -> tuple[str, str]:
    """What happened, and what to do."""
    problem = problem_of(error)
    if problem.kind is Kind.LIMITED:
        wait = f"{problem.retry_after_s} s"
        return f"Slack wants to be asked again in {wait}", f"look again in {wait}"
    step = "is Slack within reach from here, and are SLACK_API_URL and HTTPS_PROXY right?"
    if not isinstance(error, SlackApiError):
        if isinstance(error, URLError):
            why = getattr(error.reason, "strerror", None) or error.reason
            return f"Slack cannot be reached ({why})", step
        return f"Slack gave no answer that can be read ({str(error) or problem.word})", step
    if problem.word.startswith("http_"):  # the answer had no error word of Slack's
        status = error.response.status_code
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
    refused = {
        word: wrong(f"Slack refuses SLACK_BOT_TOKEN ({word})", step, final=True)
        for word in REFUSED_FOR_GOOD
    }
    told = slack.ask(call, refused)
    scopes = headers.get("x-oauth-scopes")
    if scopes is not None:
        slack.granted = frozenset(s.strip() for s in scopes.split(",") if s.strip())
    me, user = myself(told), told.get("user")
    if me is None or not isinstance(user, str):
        return wrong("the answer to auth.test names no workspace and no bot", NOT_SLACK)
    if me.bot is None:
        step = "give the bot token, it begins with xoxb-"
        return wrong(f"SLACK_BOT_TOKEN is {user}'s own and no bot's", step)
    slack.home, slack.bot_name = me.home, user
    slack.on_identity(me)
    return fine(f"workspace {told.get('team')} ({me.team}), bot @{user}")


def scope(slack: Slack, wanted: str) -> Line:
    """Otherwise a missing scope only shows at the first click that needs it."""
    if slack.granted is None:
        words = "Slack did not say which scopes the token has"
        return note(words, "compare them with the manifest")
    if wanted in slack.granted:
        return fine()
    step = "add it under OAuth & Permissions and install the app again"
    return wrong("the bot token lacks it", step)


def app_token(slack: Slack, secret: str) -> Line:
    """`apps.connections.open` only returns an address. It does not connect anything."""
    step = "copy the app-level token (xapp-) again, it needs the scope connections:write"
    words = (*REFUSED_FOR_GOOD, "missing_scope")
    refused = {word: wrong(f"Slack refuses SLACK_APP_TOKEN ({word})", step) for word in words}
    call = partial(slack.client.apps_connections_open, app_token=secret)
    if slack.ask(call, refused).get("url"):
        return fine("Slack names an address for Socket Mode")
    return wrong("Slack named no address for Socket Mode", step)


def channel(slack: Slack, channel_id: str) -> Line:
    invite = f"/invite @{slack.bot_name}"
    if not channel_id:
        words = "CHANNELS is empty: the command works in every channel, a private one of two too"
        return note(words, f"name those where it is to be used, and there: {invite}")
    # If the bot is not in a private channel, Slack answers as if the channel did not exist (Slack
    # docs, conversations.info).
    hidden = wrong("it does not exist, or it is private and the bot is not in it", invite)
    call = partial(slack.client.conversations_info, channel=channel_id)
    shown = slack.ask(call, {"channel_not_found": hidden}).get("channel")
    if not isinstance(shown, dict):
        return wrong("the answer names no channel", NOT_SLACK)
    name = f"#{shown.get('name')}"
    if shown.get("is_archived"):
        return wrong(f"{name} is archived", "restore it, or take it out of CHANNELS")
    if not shown.get("is_member"):
        return wrong(f"the bot is not in {name}", f"there: {invite}")
    return fine(f"the bot is in {name}")


def group(slack: Slack, group_id: str, settings: str) -> Line:
    """From one call for all groups: Slack allows few of them a minute."""
    if slack.groups is None:
        team = slack.home.team if slack.home else None
        none = wrong("this workspace has no user groups", "list the people by their ids")
        call = partial(
            slack.client.usergroups_list, include_users=True, include_disabled=True, team_id=team
        )
        told = slack.ask(call, {"paid_teams_only": none, "plan_upgrade_required": none})
        found = [g for g in told.get("usergroups") or () if isinstance(g, dict)]
        slack.groups = {str(g.get("id")): g for g in found}
    shown, step = slack.groups.get(group_id), f"correct {settings}"
    if shown is None:
        return wrong("no user group has this id", step)
    name, users = f"@{shown.get('handle')}", shown.get("users")
    if shown.get("date_delete"):
        return wrong(f"{name} is disabled", f"enable it in Slack, or {step}")
    members = tuple(u for u in users if isinstance(u, str)) if isinstance(users, list) else ()
    slack.members[group_id] = members
    if not members:
        return wrong(f"nobody is in {name}", f"fill it, or {step}")
    count = f"{len(members)} {'person' if len(members) == 1 else 'people'}"
    words = f"{name}, {count}, in {settings}"
    if settings == "NOTIFY":
        return fine(words)
    step = "whoever may edit it in Slack decides who that is: docs/slack.md says how to restrict it"
    return note(words, step)


def person(slack: Slack, user: str, settings: str) -> Line:
    step = f"take the id out of {settings}"
    rights = _rights(slack, user, step)
    return fine(f"in {settings}") if rights is Reason.YES else wrong(DOES_NOT_COUNT[rights], step)


def approvers(slack: Slack, setting: str, pool: Pool, where: str) -> Line:
    """Whether enough people of a pool may approve. The requester never counts. Who is named comes
    first, having been read already."""
    needed, able = pool.needed, len(_able(slack, pool, pool.needed + 1))
    people = f"{able} of the {needed} who are needed may approve"
    if able > needed:
        return fine(f"at least {needed} besides whoever asks")
    if able == needed:
        words = f"exactly {needed} may approve, so nobody is left for a request of their own"
        return note(words, f"name one more in {where}")
    if slack.settings.break_glass:
        words = f"{people}, so only BREAK_GLASS is left"
        return note(words, f"name more people in {where}")
    return wrong(people, f"name more people in {where}, or lower {setting}")


def all_pools(slack: Slack, pools: Sequence[Pool]) -> Line:
    """Whether all pools together can be filled: nobody counts for two of them."""
    able: dict[str, tuple[str, ...]] = {}
    for pool in pools:
        for who in _able(slack, pool):
            able[who] = (*able.get(who, ()), pool.name)
    short = missing(able, pools)
    if not short:
        return fine("the pools can all be filled, by different people")
    names = ", ".join(short)
    step = "name more people in the pools: nobody counts for two of them"
    return wrong(f"not all pools can be filled by different people: {names}", step)


def one_person(slack: Slack) -> Line:
    """Accounts of approvers that may be one person's: approvals are of people, not of accounts."""
    person = slack.settings.policy().person
    twice = sorted(
        {
            " and ".join(sorted(accounts))
            for accounts in slack.alike.values()
            if len({person(account) for account in accounts}) > 1
        }
    )
    if not twice:
        return fine("no two accounts show the same name")
    words = f"these accounts show the same name: {'; '.join(twice)}"
    return note(words, "if they are one person, name them in SAME_PERSON (U1+U2)")


def _able(slack: Slack, pool: Pool, most: int | None = None) -> set[str]:
    """The people of a pool who count, each once whatever their accounts; no more than `most`."""
    named = [who for who in pool.listed if not is_group(who)]
    in_groups = [who for group in pool.listed for who in slack.members.get(group, ())]
    able: set[str] = set()
    for who in dict.fromkeys((*named, *in_groups)):
        if len(able) == most:
            break
        if _rights(slack, who, "correct its user group") is Reason.YES:
            able.add(slack.settings.policy().person(who))
    return able


def _rights(slack: Slack, user: str, step: str) -> Reason:
    """Whether the person counts; asked once per person."""
    if user not in slack.rights:
        nobody = wrong("nobody whom this workspace knows has this id", step)
        call = partial(slack.client.users_info, user=user)
        shown = slack.ask(call, dict.fromkeys(NO_SUCH_PERSON, nobody)).get("user")
        if slack.home is None or not isinstance(shown, dict) or shown.get("id") != user:
            raise Failed(wrong("the answer is about somebody else", NOT_SLACK))
        slack.rights[user] = counts(person_of(shown), slack.home)
        profile = shown.get("profile")
        profile = profile if isinstance(profile, dict) else {}
        address = str(profile.get("email") or "").partition("@")[0]
        for name in (shown.get("real_name"), profile.get("display_name"), address):
            if isinstance(name, str) and name.strip():
                slack.alike[name.strip().casefold()].add(user)
    return slack.rights[user]
