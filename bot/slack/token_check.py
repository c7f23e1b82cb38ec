"""The lines of `check` about the tokens and their scopes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.core.finding import Finding, fine, note, wrong
from bot.slack.identity import myself
from bot.slack.looking import Slack, Told
from bot.slack.manifest import SCOPES
from bot.slack.trouble import trouble_of

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


def token(slack: Slack) -> Iterator[Finding]:
    """`auth.test`: whose token it is. The scopes come with it (Slack docs, `X-OAuth-Scopes`)."""
    refused: list[str] = []

    def call() -> Any:
        try:
            answer = slack.client.auth_test()
        except SlackApiError as error:
            refused.append(trouble_of(error).word)
            raise
        headers = {str(k).lower(): str(v) for k, v in answer.headers.items()}
        slack.granted = _listed(headers.get("x-oauth-scopes"))
        return answer

    told = slack.ask("slack-token", "", "auth.test", call, {})
    if isinstance(told, Finding):
        if REFUSED_FOR_GOOD.intersection(refused):
            words = f"Slack refuses SLACK_BOT_TOKEN ({refused[0]})"
            step = "copy the bot token (xoxb-) of the installed app again"
            told = wrong("slack-token", words, step, final=True)
        yield told
        return
    yield _whose(slack, told)


def _whose(slack: Slack, told: Told) -> Finding:
    me, user = myself(told), told.get("user")
    if me is None or not isinstance(user, str):
        step = "does SLACK_API_URL name Slack?"
        return wrong("slack-token", "the answer to auth.test names no workspace and no bot", step)
    if me.bot is None:
        step = "give the bot token, it begins with xoxb-"
        return wrong("slack-token", f"SLACK_BOT_TOKEN is {user}'s own and no bot's", step)
    slack.home = me.home
    slack.bot_name = user
    slack.on_identity(me)
    return fine("slack-token", f"workspace {told.get('team')} ({me.team}), bot @{user}")


def scopes(slack: Slack) -> Iterator[Finding]:
    """One line for each. Otherwise a missing scope only shows at the first click that needs it."""
    if slack.granted is None:
        step = "compare them with the manifest"
        yield note("slack-scope", "Slack did not say which scopes the token has", step)
        return
    slack.missing_scopes = frozenset(SCOPES) - slack.granted
    for scope in SCOPES:
        if scope in slack.granted:
            yield fine("slack-scope", about=scope)
        else:
            step = "add it under OAuth & Permissions and install the app again"
            yield wrong("slack-scope", "the bot token lacks it", step, about=scope)


def app_token(slack: Slack) -> Iterator[Finding]:
    """`apps.connections.open` only returns an address. It does not connect anything."""
    app = slack.app
    if app is None:
        return
    remedy = "copy the app-level token (xapp-) again, it needs the scope connections:write"
    words = "Slack refuses SLACK_APP_TOKEN"
    steps = {word: (f"{words} ({word})", remedy) for word in (*REFUSED_FOR_GOOD, "missing_scope")}
    told = slack.ask(
        "slack-app-token",
        "",
        "apps.connections.open",
        lambda: app.apps_connections_open(app_token=app.token or ""),
        steps,
    )
    if isinstance(told, Finding):
        yield told
    elif not told.get("url"):
        yield wrong("slack-app-token", "Slack named no address for Socket Mode", remedy)
    else:
        yield fine("slack-app-token", "Slack names an address for Socket Mode")


def _listed(header: str | None) -> frozenset[str] | None:
    if header is None:
        return None
    return frozenset(scope.strip() for scope in header.split(",") if scope.strip())
