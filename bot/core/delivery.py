"""Between the store and Slack: what listeners put in, what the poster takes out."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Protocol

from bot.core.entries import Answer
from bot.core.events import Event
from bot.core.frozen import Frozen
from bot.core.request import Request


class InboxPort(Protocol):
    """Where listeners leave events. The only thing a listener waits for is this commit."""

    def put(
        self,
        event: Event,
        *,
        origin: str,
        request_id: str,
        response_url: str | None = None,
        answer_via: int | None = None,
    ) -> int | None:
        """Store one event and wake the worker; its number, or None when `origin` was there before.

        `answer_via` is the number of an earlier event whose `response_url` serves this one too
        (a modal's submission has none of its own).
        """
        ...

    def address(self, number: int) -> str | None:
        """The `response_url` that came with an event, for words that may be lost."""
        ...


class RequestsPort(Protocol):
    """Reading only."""

    def get(self, request_id: str) -> Request | None: ...


class Due(Frozen):
    """One message that is due, claimed for as long as its sending may take.

    `slot` as in `bot.core.messages`. `ts` is there when it was posted before (so: edit).
    `wanted` is the digest that was asked for when it was claimed; `shown` that of what Slack has.
    For an answer to one person: `answer`, `user`, `response_url` (None when there is none or it
    has lapsed: then it goes as a direct message).
    """

    request_id: str
    slot: str
    channel: str
    thread_ts: str | None = None
    ts: str | None = None
    wanted: str = ""
    shown: str | None = None
    attempts: int = 0
    answer: Answer | None = None
    user: str | None = None
    response_url: str | None = None


class OutboxPort(Protocol):
    """The `messages` table as the poster sees it. Each method is one short transaction."""

    def claim(self, paused: dict[str, int]) -> Due | None:
        """The most urgent due message: final words, answers, cards, notices, progress.

        `paused`: kind of delivery ("post", "edit", "answer") to the ms epoch before which none of
        it may be sent (429). Replies are not due before their card stands.
        """
        ...

    def request(self, request_id: str) -> Request | None:
        """The row as it is now: nothing is drawn from an older copy."""
        ...

    def sent(self, due: Due, *, ts: str | None, digest: str) -> None:
        """Slack has it. For a card, `CardPosted` goes into the inbox in the same transaction."""
        ...

    def put_off(self, due: Due, *, until: int, error: str) -> None:
        """Not taken this time; `until` is ms epoch."""
        ...

    def given_up(self, due: Due, *, error: str) -> None:
        """Slack will never take it. For a card that was never posted, `CardRefused` goes in."""
        ...

    def now(self) -> int:
        """ms epoch by the database's clock."""
        ...

    def wait(self, seconds: float) -> None:
        """Until something may be due, at most that long."""
        ...


class Drawn(Frozen):
    """A message as Slack takes it: `text` is never empty (phones, screen readers)."""

    text: str
    blocks: tuple[dict[str, Any], ...] = ()

    @property
    def digest(self) -> str:
        """Equal only for what looks the same."""
        canonical = json.dumps(self.model_dump(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:32]
