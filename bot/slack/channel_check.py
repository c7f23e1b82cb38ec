"""The lines of `check` about the channels where the command works."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bot.core.finding import Finding, fine, note, wrong
from bot.slack.looking import Slack

NAME = "slack-channel"


def channels(slack: Slack) -> Iterator[Finding]:
    """A line for each of CHANNELS."""
    if not slack.wanted.channels:
        invite = f"in each where it is to be used: {_invite(slack)}"
        yield note(NAME, "CHANNELS is empty: the command works in every channel", invite)
    for channel in slack.wanted.channels:
        yield _channel(slack, channel)


def _channel(slack: Slack, channel: str) -> Finding:
    invite = _invite(slack)
    # If the bot is not in a private channel, Slack answers as if the channel did not exist (Slack
    # docs, conversations.info).
    hidden = ("it does not exist, or it is private and the bot is not in it", invite)
    call = partial(slack.client.conversations_info, channel=channel)
    told = slack.ask(NAME, channel, "conversations.info", call, {"channel_not_found": hidden})
    if isinstance(told, Finding):
        return told
    shown = told.get("channel")
    if not isinstance(shown, dict):
        step = "does SLACK_API_URL name Slack?"
        return wrong(NAME, "the answer names no channel", step, about=channel)
    name = f"#{shown.get('name')}"
    if shown.get("is_archived"):
        step = "restore it, or take it out of CHANNELS"
        return wrong(NAME, f"{name} is archived", step, about=channel)
    if not shown.get("is_member"):
        return wrong(NAME, f"the bot is not in {name}", f"there: {invite}", about=channel)
    return fine(NAME, f"the bot is in {name}", about=channel)


def _invite(slack: Slack) -> str:
    return f"/invite @{slack.bot_name}"
