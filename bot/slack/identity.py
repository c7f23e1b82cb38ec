"""Who the bot itself is in Slack: known from the check at the start, or read when first needed.

The bot must start even if Slack cannot be reached, since stored requests go on without Slack.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.request.who_may import Home
from bot.slack.send.trouble import BROKEN, Kind, Trouble, trouble_of

log = structlog.get_logger(__name__)


class IdentityUnread(Exception):
    """Slack did not say who the bot is."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.word)
        self.trouble = trouble


@dataclass(frozen=True)
class Myself:
    """The bot's own ids (Slack docs, auth.test). They never change for a token."""

    team: str
    enterprise: str | None
    user: str | None
    bot: str | None
    url: str | None = None
    """The workspace's address in a browser."""

    @property
    def home(self) -> Home:
        return Home(team=self.team, enterprise=self.enterprise)


def myself(told: Mapping[str, Any]) -> Myself | None:
    """From an answer to `auth.test`. None if it names no workspace."""
    team = _text(told.get("team_id"))
    if team is None:
        return None
    return Myself(
        team=team,
        enterprise=_text(told.get("enterprise_id")),
        user=_text(told.get("user_id")),
        bot=_text(told.get("bot_id")),
        url=_text(told.get("url")),
    )


class Identity:
    """The answer to `auth.test`, kept for as long as the process lives."""

    def __init__(self, client: WebClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._known: Myself | None = None

    def known(self) -> Myself | None:
        """What has been read, or None. Makes no call."""
        return self._known

    def learn(self, me: Myself) -> None:
        """Take what another caller has read from `auth.test`."""
        self._known = me

    def read(self, *, queue_s: float = 5) -> Myself:
        """Raises IdentityUnread. One call at a time, and at most `queue_s` of waiting for another
        thread's. Otherwise, if Slack hangs, threads would wait for one timeout after another."""
        if self._known:
            return self._known
        if not self._lock.acquire(timeout=queue_s):
            raise IdentityUnread(Trouble(Kind.PASSING, "auth_test_hangs"))
        try:
            if self._known is None:
                self._known = self._ask()
            return self._known
        finally:
            self._lock.release()

    def _ask(self) -> Myself:
        try:
            answer = self._client.auth_test()
        except (SlackApiError, *BROKEN) as error:
            trouble = trouble_of(error)
            log.warning("identity_unread", error=trouble.word)
            raise IdentityUnread(trouble) from error
        me = myself(answer.data if isinstance(answer.data, dict) else {})
        if me is None:
            raise IdentityUnread(Trouble(Kind.PASSING, "auth_test_without_team"))
        return me


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
