"""Who the bot itself is in Slack, and who somebody else is now.

The bot's own ids are known from the check at the start, or read when first needed: it must start
even if Slack cannot be reached, since stored requests go on without Slack. Rights are read at each
click, without a cache.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackRequestError

from bot.request.who_may import GROUP_UNREADABLE, UNREADABLE, Home, Person, Reason, Verdict
from bot.slack.send.slack_problem import BROKEN, Kind, SlackProblem, problem_of

log = structlog.get_logger(__name__)

SLACKBOT = "USLACKBOT"
"""`users.info` says `is_bot: false` for it (Slack docs, user object)."""


NO_SUCH_PERSON = frozenset({"user_not_found", "user_not_visible"})
"""Nobody whom our workspace knows (Slack docs, users.info). Asking again gives the same answer."""

NO_SUCH_GROUP = frozenset({"no_such_subteam"})
"""Unknown, or disabled (Slack docs, usergroups.users.list)."""


PAGE_SIZE, PAGES_MOST = 500, 4
"""Of the members of a channel. Slack takes fewer than 1,000 a page (Slack docs, pagination)."""


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
        self.known: Myself | None = None
        """What has been read, or None."""

    def url(self) -> str | None:
        """The workspace's address, for links to cards; None while Slack has not told it."""
        return self.known.url if self.known else None

    def learn(self, me: Myself) -> None:
        """Take what another caller has read from `auth.test`."""
        self.known = me

    def read(self) -> Myself:
        """Raises what a call to Slack may raise."""
        if self.known is None:
            answer = self._client.auth_test()
            self.known = myself(answer.data if isinstance(answer.data, dict) else {})
            if self.known is None:
                raise SlackRequestError("auth.test names no workspace")
        return self.known


class People:
    """Implements `bot.request.plan.PeoplePort`. `now` gives ms epoch, only used for `retry_at`."""

    def __init__(self, client: WebClient, identity: Identity, now: Callable[[], int]) -> None:
        self._client = client
        self._identity = identity
        self._now = now

    def home(self) -> Home:
        """The bot's own workspace. Slack has told it once `person` has returned a Person."""
        return self._identity.read().home

    def person(self, user: str) -> Person | Verdict:
        """Unreadable too if our own workspace cannot be read, since people are compared with it."""
        try:
            self._identity.read()
            answer = self._client.users_info(user=user)
        except (SlackApiError, *BROKEN) as error:
            if _said(error) in NO_SUCH_PERSON:
                log.warning("person_unknown", user=user)
                return Verdict(reason=Reason.OTHER_WORKSPACE)
            return self._unread(UNREADABLE, problem_of(error), user=user)
        told = answer.get("user")
        if not isinstance(told, dict) or told.get("id") != user:
            return self._unread(
                UNREADABLE, SlackProblem(Kind.PASSING, "user_not_understood"), user=user
            )
        return person_of(told)

    def members(self, group: str) -> frozenset[str] | Verdict:
        """`usergroups.users.list`: 20 calls a minute (tier 2), scope `usergroups:read`. A disabled
        group is not found. Closed accounts may still be listed: `person` recognises them."""
        try:
            # Needed with an organisation's token, ignored with a workspace's.
            team = self._identity.read().team
            answer = self._client.usergroups_users_list(usergroup=group, team_id=team)
        except (SlackApiError, *BROKEN) as error:
            if _said(error) in NO_SUCH_GROUP:
                log.warning("group_unknown", group=group)
                return frozenset()
            return self._unread(GROUP_UNREADABLE, problem_of(error), group=group)
        told = answer.get("users")
        if not isinstance(told, list) or not all(isinstance(who, str) for who in told):
            return self._unread(
                GROUP_UNREADABLE, SlackProblem(Kind.PASSING, "group_not_understood"), group=group
            )
        return frozenset(told)

    def who_sees(self, channel: str) -> frozenset[str] | Verdict | None:
        """`conversations.info` (tier 3); and of a private channel `conversations.members` (tier 4),
        page by page. The manifest's scopes `channels:read` and `groups:read` are enough. Beyond the
        last page that is read, people count as not there."""
        found: set[str] = set()
        try:
            shown = self._client.conversations_info(channel=channel).get("channel")
            if isinstance(shown, dict) and shown.get("is_private") is False:
                return None
            cursor = ""
            for _ in range(PAGES_MOST):
                page = self._client.conversations_members(
                    channel=channel, limit=PAGE_SIZE, cursor=cursor
                )
                told = page.get("members")
                if not isinstance(told, list) or not all(isinstance(who, str) for who in told):
                    not_understood = SlackProblem(Kind.PASSING, "members_not_understood")
                    return self._unread(UNREADABLE, not_understood, channel=channel)
                found.update(told)
                more = page.get("response_metadata")
                cursor = _text(more.get("next_cursor")) or "" if isinstance(more, dict) else ""
                if not cursor:
                    break
        except (SlackApiError, *BROKEN) as error:
            return self._unread(UNREADABLE, problem_of(error), channel=channel)
        return frozenset(found)

    def _unread(self, verdict: Verdict, problem: SlackProblem, **what: str) -> Verdict:
        log.warning("rights_unread", error=problem.word, **what)
        if problem.kind is not Kind.LIMITED:
            return verdict
        retry_at = self._now() + problem.retry_after_s * 1000
        return verdict.model_copy(update={"retry_at": retry_at})


def person_of(told: Mapping[str, Any]) -> Person:
    """What the rules need of the user object of `users.info` (Slack docs, user object). Slack omits
    flags that are false, mainly for closed accounts; any other value counts as set."""
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
        zone=_text(told.get("tz")),
    )


def _said(error: Exception) -> str | None:
    """Slack's word in a proper answer; None for a limit, a broken server or no answer."""
    if not isinstance(error, SlackApiError) or error.response.status_code != 200:
        return None
    data = error.response.data
    word = data.get("error") if isinstance(data, dict) else None
    return word if isinstance(word, str) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
