"""The door: what Slack sends becomes one stored event, or a sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from slack_sdk import WebClient

from bot.request.lookup_results import HomeRead, PairingsListed, PreviewRead, SitesRead
from bot.request.model import new_request_id
from bot.request.who_may import Policy
from bot.slack.people import Identity
from bot.slack.send.whisper import Whisper
from bot.store.inbox import Inbox
from bot.store.queries import Overview

Then: TypeAlias = Callable[[Any], None]
"""What a lookup has read goes there, in a thread of the lookups."""


@dataclass(frozen=True)
class Lookups:
    """What people may look up. Each begins a lookup for a user of Slack and returns whether it has:
    False where too many wait already (see `bot.worker.lookup_threads`).

    `preview(site, typed, by, then)`; `all_counted(by, then)`, all pairings with their replications;
    `pairings(sites, by, then, fresh_s)`, where a list up to this old is not read again;
    `stored(by, read, then)`; `home(by, then)`. `known(site, within_s)`: a list in memory.
    """

    preview: Callable[[str, str, str, Callable[[PreviewRead], None]], bool]
    all_counted: Callable[[str, Callable[[SitesRead], None]], bool]
    pairings: Callable[[Sequence[str], str, Callable[[SitesRead], None], float], bool]
    stored: Callable[[str, Callable[[], Any], Then], bool]
    home: Callable[[str, Callable[[HomeRead], None]], bool]
    has_room: Callable[[], bool]
    known: Callable[[str, float], PairingsListed | None]


@dataclass(frozen=True)
class Deps:
    """What the listeners need of the rest of the bot. `views`, `identity` and `may_break_glass` are
    called within a listener: their clients must have the short timeouts (`client.QUICK_TIMEOUT_S`,
    `client.PRESS_TIMEOUT_S`).

    `may_break_glass`: whether this user, from the workspace that Slack names, has the right now; no
    answer is a no. `on_repeated` counts events that were stored before: replays and Slack's own
    second tries, which look the same. `later`: do this in so many seconds, if the process still
    runs.
    """

    inbox: Inbox
    overview: Overview
    policy: Policy
    command: str
    identity: Identity
    views: WebClient
    whisper: Whisper
    lookups: Lookups
    may_break_glass: Callable[[str, str | None], bool] = lambda user, team: False
    new_id: Callable[[], str] = new_request_id
    on_repeated: Callable[[], None] = lambda: None
    later: Callable[[float, Callable[[], None]], None] = lambda seconds, then: None
