"""What the listeners need of the rest of the bot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from slack_sdk import WebClient

from bot.request.model import new_request_id
from bot.request.who_may import Policy
from bot.slack.identity import Identity
from bot.slack.send.whisper import Whisper
from bot.store.inbox import Inbox
from bot.store.queries import Overview
from bot.worker.lookups import Lookups

MayBreakGlass: TypeAlias = Callable[[str, str | None], bool]
"""Whether this user, from the workspace that Slack names, has the right now. No answer is a no."""


@dataclass(frozen=True)
class ListenerDeps:
    """`views`, `identity` and `may_break_glass` are called within a listener: their clients must
    have the short timeouts (`client.QUICK_TIMEOUT_S`, `client.PRESS_TIMEOUT_S`).
    `on_repeated` counts events that were stored before: replays and Slack's own second tries, which
    look the same."""

    inbox: Inbox
    overview: Overview
    policy: Policy
    command: str
    identity: Identity
    views: WebClient
    whisper: Whisper
    lookups: Lookups
    may_break_glass: MayBreakGlass = lambda user, team: False
    new_id: Callable[[], str] = new_request_id
    on_repeated: Callable[[], None] = lambda: None
