"""Who somebody is, by Slack, at this moment: rights are read at each click, without a cache."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.core.rules import UNREADABLE, Home, Person, Reason, Verdict
from bot.slack.identity import Identity, IdentityUnread
from bot.slack.trouble import BROKEN, Kind, Trouble, trouble_of

log = structlog.get_logger(__name__)

SLACKBOT = "USLACKBOT"
"""`users.info` says `is_bot: false` of it (Slack docs, user object)."""


class People:
    """Implements `bot.core.ports.PeoplePort`. `now` gives ms epoch, for `retry_at` alone."""

    def __init__(self, client: WebClient, identity: Identity, now: Callable[[], int]) -> None:
        self._client = client
        self._identity = identity
        self._now = now

    def home(self) -> Home:
        """The bot's own workspace. Raises IdentityUnread when Slack has never said it; after a
        `person` that came back as a Person it has."""
        me = self._identity.read()
        return Home(team=me.team, enterprise=me.enterprise)

    def person(self, user: str) -> Person | Verdict:
        """Unreadable as well when our own workspace cannot be read: nobody could be compared."""
        try:
            self._identity.read()
            answer = self._client.users_info(user=user)
        except IdentityUnread as error:
            return self._unreadable(user, error.trouble)
        except (SlackApiError, *BROKEN) as error:
            return self._unreadable(user, trouble_of(error))
        told = answer.get("user")
        if not isinstance(told, dict) or told.get("id") != user:
            return self._unreadable(user, Trouble(Kind.PASSING, "user_not_understood"))
        return person_of(told)

    def _unreadable(self, user: str, trouble: Trouble) -> Verdict:
        log.warning("person_unreadable", user=user, error=trouble.word)
        if trouble.kind is not Kind.LIMITED:
            return UNREADABLE
        return Verdict(
            reason=Reason.UNREADABLE, retry_at=self._now() + trouble.retry_after_s * 1000
        )


def person_of(told: Mapping[str, Any]) -> Person:
    """The user object of `users.info` as the rules need it (Slack docs, user object). Slack leaves
    flags away that are false, above all for closed accounts; any other value counts as set."""
    grid = told.get("enterprise_user")
    enterprise = grid.get("enterprise_id") if isinstance(grid, dict) else None
    return Person(
        id=str(told["id"]),
        team=_text(told.get("team_id")),
        enterprise=_text(enterprise),
        deleted=bool(told.get("deleted")),
        bot=bool(told.get("is_bot")) or told["id"] == SLACKBOT,
        guest=bool(told.get("is_restricted")) or bool(told.get("is_ultra_restricted")),
        stranger=bool(told.get("is_stranger")),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
