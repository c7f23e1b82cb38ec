"""How Slack reaches the bot. Everything that only HTTP needs is here: another way in is one more
class, and the same scenarios run through it."""

from __future__ import annotations

from typing import Protocol

import pytest
import requests

from sandbox.bot_process import BotProcess
from sandbox.slack import LocalSlack

CONNECTS_WITHIN_SECONDS = 60.0


class WayIn(Protocol):
    """`connect` is called after each start of the bot, whose port is another one every time."""

    name: str

    def settings(self, slack: LocalSlack) -> dict[str, str]: ...

    def secrets(self, slack: LocalSlack) -> tuple[str, ...]: ...

    def connect(self, slack: LocalSlack, bot: BotProcess) -> None: ...


class OverHttp:
    """Signed requests to `/slack/events`."""

    name = "http"

    def settings(self, slack: LocalSlack) -> dict[str, str]:
        return {"SLACK_SIGNING_SECRET": slack.signing_secret}

    def secrets(self, slack: LocalSlack) -> tuple[str, ...]:
        return (slack.signing_secret,)

    def connect(self, slack: LocalSlack, bot: BotProcess) -> None:
        slack.request_url = f"{bot.url}/slack/events"


class OverSocket:
    """Envelopes over a WebSocket that the bot has opened."""

    name = "socket"

    def settings(self, slack: LocalSlack) -> dict[str, str]:
        return {"SLACK_SIGNING_SECRET": "", "SLACK_APP_TOKEN": slack.app_token}

    def secrets(self, slack: LocalSlack) -> tuple[str, ...]:
        return (slack.app_token, *slack.sockets.all_tickets)

    def connect(self, slack: LocalSlack, bot: BotProcess) -> None:
        slack.mode = "socket"
        # The bot's own word: Slack has said hello before the bot has heard it.
        slack.wait_for(lambda: _hears_slack(bot), CONNECTS_WITHIN_SECONDS)


def _hears_slack(bot: BotProcess) -> bool:
    return bool(requests.get(f"{bot.url}/readyz", timeout=60).json()["slack"] == "ok")


WAYS_IN: tuple[WayIn, ...] = (OverHttp(), OverSocket())

both_ways = pytest.mark.parametrize("way_in", WAYS_IN, ids=lambda way: way.name, indirect=True)
"""A scenario that is played over HTTP and in Socket Mode; all others over HTTP alone."""
