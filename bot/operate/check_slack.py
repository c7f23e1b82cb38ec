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

from bot.operate.check_lines import Line, fine, note, skipped, wrong
from bot.request.who_may import Home, Reason, is_group
from bot.settings import Settings
from bot.slack.identity import Myself, myself
from bot.slack.manifest import SCOPES
from bot.slack.send.client import api_client
from bot.slack.send.kept_connections import proxy_for
from bot.slack.send.trouble import BROKEN, Kind, trouble_of

TOKEN, SCOPE, APP_TOKEN = "slack-token", "slack-scope", "slack-app-token"
CHANNEL = "slack-channel"

TIMEOUT_S = 10
"""Per socket operation. Longer than for a click, since nobody waits for an acknowledgement."""

REFUSED_FOR_GOOD = frozenset(
    {
        "account_inactive",
        "invalid_auth",
        "not_allowed_token_type",
        "not_authed",
        "token_expired",
        "token_revoked",
    }
)
"""With these errors the token will never work (Slack docs, errors of auth.test)."""

NOT_SLACK = "does SLACK_API_URL name Slack?"
Told: TypeAlias = Mapping[str, Any]
Steps: TypeAlias = Mapping[str, tuple[str, str]]
"""For each of Slack's error words: what it means here, and what to do about it."""


@dataclass
class Slack:
    """One check of Slack. `on_identity` is called with whose token it is, once it has proved right.
    `away`: the line that found that Slack does not answer, or wants to be left alone for a while.
    Each further call might wait just as long in vain, so what comes after it is skipped."""

    settings: Settings
    client: WebClient
    app: WebClient | None
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

    def ask(self, line: str, about: str, call: Callable[[], Any], steps: Steps) -> Told | Line:
        """Slack's answer, or what this line reports instead."""
        if self.away:
            return skipped(line, self.away, about=about)
        try:
            answer = call()
        except (SlackApiError, *BROKEN) as error:
            trouble = trouble_of(error)
            if trouble.word in steps:
                return wrong(line, *steps[trouble.word], about=about)
            if trouble.word == "missing_scope" and (scope := self._lacking(error)):
                return skipped(line, f"{SCOPE} {scope}", about=about)
            found = wrong(line, *_words(error), about=about)
            if trouble.kind is not Kind.FINAL:
                self.away = found.key
            return found
        return answer.data if isinstance(answer.data, dict) else {}

    def _lacking(self, error: Exception) -> str | None:
        """The scope that Slack asks for, if the token is known to lack it."""
        lacking = [] if self.granted is None else [s for s in SCOPES if s not in self.granted]
        data = error.response.data if isinstance(error, SlackApiError) else {}
        needed = str(data.get("needed", "")).split(",") if isinstance(data, dict) else []
        return next((scope for scope in (*needed, *lacking) if scope in lacking), None)


def slack_of(settings: Settings) -> Slack:
    def client(token: str) -> WebClient:
        return api_client(token, base_url=settings.slack_api_url, timeout_s=TIMEOUT_S)

    app = settings.slack_app_token
    return Slack(
        settings,
        client(settings.slack_bot_token.get_secret_value()),
        client(app.get_secret_value()) if app else None,
    )


def proxy_of(url: str) -> str | None:
    """`name:port` of the proxy for Slack's Web API, without credentials."""
    proxy = proxy_for(url)
    return urlsplit(proxy).netloc.rpartition("@")[2] if proxy else None


def _words(error: Exception) -> tuple[str, str]:
    """What happened, and what to do."""
    trouble = trouble_of(error)
    if trouble.kind is Kind.LIMITED:
        wait = f"{trouble.retry_after_s} s"
        return f"Slack wants to be asked again in {wait}", f"look again in {wait}"
    if not isinstance(error, SlackApiError):
        why = str(error.reason) if isinstance(error, URLError) else trouble.word
        step = "is Slack within reach from here, and is HTTPS_PROXY right?"
        return f"Slack gave no answer that can be read ({why})", step
    if trouble.word.startswith("http_"):  # the answer had no error word of Slack's
        status = error.response.status_code
        step = "does SLACK_API_URL name Slack, or does a proxy answer in its place?"
        return f"the answer was HTTP {status}, but not by Slack's API", step
    return f"Slack says {trouble.word}", "Slack's documentation of that word tells why"


# --- Tokens


def token(slack: Slack) -> Line:
    """`auth.test`: whose token it is. The scopes come with it (Slack docs, `X-OAuth-Scopes`)."""
    refused: list[str] = []

    def call() -> Any:
        try:
            answer = slack.client.auth_test()
        except SlackApiError as error:
            refused.append(trouble_of(error).word)
            raise
        headers = {str(key).lower(): str(value) for key, value in answer.headers.items()}
        scopes = headers.get("x-oauth-scopes")
        if scopes is not None:
            slack.granted = frozenset(s.strip() for s in scopes.split(",") if s.strip())
        return answer

    told = slack.ask(TOKEN, "", call, {})
    if isinstance(told, Line):
        if not REFUSED_FOR_GOOD.intersection(refused):
            return told
        words = f"Slack refuses SLACK_BOT_TOKEN ({refused[0]})"
        step = "copy the bot token (xoxb-) of the installed app again"
        return wrong(TOKEN, words, step, final=True)
    me, user = myself(told), told.get("user")
    if me is None or not isinstance(user, str):
        return wrong(TOKEN, "the answer to auth.test names no workspace and no bot", NOT_SLACK)
    if me.bot is None:
        step = "give the bot token, it begins with xoxb-"
        return wrong(TOKEN, f"SLACK_BOT_TOKEN is {user}'s own and no bot's", step)
    slack.home = me.home
    slack.bot_name = user
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
    app = slack.app
    if app is None:
        return
    remedy = "copy the app-level token (xapp-) again, it needs the scope connections:write"
    words = "Slack refuses SLACK_APP_TOKEN"
    steps = {word: (f"{words} ({word})", remedy) for word in (*REFUSED_FOR_GOOD, "missing_scope")}
    call = partial(app.apps_connections_open, app_token=app.token or "")
    told = slack.ask(APP_TOKEN, "", call, steps)
    if isinstance(told, Line):
        yield told
    elif not told.get("url"):
        yield wrong(APP_TOKEN, "Slack named no address for Socket Mode", remedy)
    else:
        yield fine(APP_TOKEN, "Slack names an address for Socket Mode")


# --- Channels


def channels(slack: Slack) -> Iterator[Line]:
    """A line for each of CHANNELS."""
    if not slack.settings.channels:
        step = f"in each where it is to be used: /invite @{slack.bot_name}"
        yield note(CHANNEL, "CHANNELS is empty: the command works in every channel", step)
    for channel in slack.settings.channels:
        yield _channel(slack, channel)


def _channel(slack: Slack, channel: str) -> Line:
    invite = f"/invite @{slack.bot_name}"
    # If the bot is not in a private channel, Slack answers as if the channel did not exist (Slack
    # docs, conversations.info).
    hidden = ("it does not exist, or it is private and the bot is not in it", invite)
    call = partial(slack.client.conversations_info, channel=channel)
    told = slack.ask(CHANNEL, channel, call, {"channel_not_found": hidden})
    if isinstance(told, Line):
        return told
    shown = told.get("channel")
    if not isinstance(shown, dict):
        return wrong(CHANNEL, "the answer names no channel", NOT_SLACK, about=channel)
    name = f"#{shown.get('name')}"
    if shown.get("is_archived"):
        step = "restore it, or take it out of CHANNELS"
        return wrong(CHANNEL, f"{name} is archived", step, about=channel)
    if not shown.get("is_member"):
        return wrong(CHANNEL, f"the bot is not in {name}", f"there: {invite}", about=channel)
    return fine(CHANNEL, f"the bot is in {name}", about=channel)
