"""What the listeners need of the rest of the bot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from slack_sdk import WebClient

from bot.request.lookup_results import HomeRead, PairingsListed, PreviewRead, SitesRead
from bot.request.who_may import Policy
from bot.slack.people import Identity
from bot.slack.send.one_message import Whisper
from bot.store.inbox import Inbox
from bot.store.queries import Overview


class Lookups(Protocol):
    """What people may look up, each for a user of Slack: False where too many wait already
    (`bot.worker.lookup_threads`)."""

    def preview(
        self, site: str, asked: str, by: str, then: Callable[[PreviewRead], None], /
    ) -> bool: ...

    def pairings(
        self,
        sites: Sequence[str],
        by: str,
        then: Callable[[SitesRead], None],
        /,
        *,
        counted: bool = False,
        fresh_s: float = 0,
    ) -> bool:
        """`counted` with their replications. A list up to `fresh_s` old is not read again."""

    def stored(
        self,
        by: str,
        read: Callable[[], Any],
        then: Callable[[Any], None],
        /,
        *,
        team: str | None = None,
        channel: str | None = None,
    ) -> bool:
        """With a `channel` only for somebody who could ask there."""

    def home(self, by: str, then: Callable[[HomeRead], None], /) -> bool: ...

    def known(self, site: str, /, *, within_s: float) -> PairingsListed | None:
        """A list in memory that is no older than this."""


@dataclass(frozen=True)
class Deps:
    """What the listeners need of the rest of the bot. `views` is called within a listener: it must
    have the short timeout (`web_api.QUICK_TIMEOUT_S`). `on_repeated` counts events that were stored
    before: replays and Slack's own second tries, which look the same. `later`: do this in so many
    seconds, if the process still runs.
    """

    inbox: Inbox
    overview: Overview
    policy: Policy
    command: str
    identity: Identity
    views: WebClient
    whisper: Whisper
    lookups: Lookups
    on_repeated: Callable[[], None] = lambda: None
    later: Callable[[float, Callable[[], None]], None] = lambda seconds, then: None
