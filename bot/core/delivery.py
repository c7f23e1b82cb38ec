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
    has lapsed: then it goes as a direct message). `last_error`: of the try before this one.
    `card_gone`, for final words: an edit of the card has found no message to edit.
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
    last_error: str | None = None
    card_gone: bool = False


NO_LONGER_WANTED = "no_longer_wanted"
"""In place of Slack's word: the row has moved on, and nobody misses the message."""


class Unsaid(Frozen):
    """A message that Slack does not show as it should be. `due_at` is ms epoch, None when it was
    given up; `posted`: an older look of it stands there. `since`: when it was first wanted."""

    slot: str
    error: str | None
    attempts: int
    posted: bool
    since: int
    due_at: int | None


LONGEST_PAUSE_S = 15 * 60
"""A header gone wild must not silence the bot for a day, nor a time that was stored by a clock that
was ahead. Slack's limits are per minute (Slack docs, rate limits)."""


class PausesPort(Protocol):
    """What a 429 holds back, by Slack's name of the method. All copies obey the same."""

    def known(self) -> dict[str, int]:
        """Method to the ms epoch before which none of it may be sent; past ones stay for a while,
        they tell since when Slack has taken everything again."""
        ...

    def hold(self, method: str, seconds: int) -> int:
        """Slack has named these seconds; until when it is held now, never less than before."""
        ...

    def now(self) -> int:
        """ms epoch by the clock that the times above are of."""
        ...


class OutboxPort(Protocol):
    """The `messages` table as the poster sees it. Each method is one short transaction."""

    def claim(self, paused: dict[str, int]) -> Due | None:
        """The most urgent due message: final words, answers, cards, notices, progress.

        `paused`: kind of delivery ("post", "edit", "answer") to the ms epoch before which none of
        it may be sent. One that has passed counts too: the first progress message goes before final
        words only if it was wanted after it. Replies are not due before their card stands.
        """
        ...

    def request(self, request_id: str) -> Request | None:
        """The row as it is now, with its witnesses: nothing is drawn from an older copy."""
        ...

    def sent(self, due: Due, *, ts: str | None, digest: str) -> None:
        """Slack has it. For a card, `CardPosted` goes into the inbox in the same transaction."""
        ...

    def put_off(self, due: Due, *, until: int, error: str, refused: bool = False) -> None:
        """Not taken this time, and not tried before `until` (ms epoch), changed or not. `refused`:
        the token or its scopes are. For a card that was never posted, `CardHeldUp` goes in then."""
        ...

    def given_up(self, due: Due, *, error: str) -> None:
        """Slack will never take it. For a card that was never posted, `CardRefused` goes in; final
        words that the channel does not take go to the people concerned, each once."""
        ...

    def now(self) -> int:
        """ms epoch by the database's clock."""
        ...

    def wait(self, seconds: float) -> None:
        """Until something may be due, at most that long."""
        ...

    def end_waiting(self) -> None:
        """Nobody waits any more, now or later: for the end."""
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
