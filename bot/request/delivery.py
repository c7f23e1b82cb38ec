"""Between the store and Slack: what listeners put in, what the poster takes out."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Protocol

from bot.request import Frozen
from bot.request.messages import Answer
from bot.request.model import Request


class Due(Frozen):
    """One message that is due, claimed for as long as its sending may take.

    `slot` as in `bot.request.messages`. `ts` is set when it was posted before, so it is edited now.
    `wanted` is the digest that was asked for at the claim, `shown` that of what Slack shows.
    For an answer to one person: `answer`, `user`, `response_url` (None when there is none or it
    has lapsed; then it goes as a direct message). `last_error`: of the try before this one. `lost`:
    how many tries Slack may have taken without saying so.
    `card_gone`, for final words: the card could not be edited, since somebody has deleted it.
    """

    request_id: str
    slot: str
    channel: str
    thread_ts: str | None = None
    ts: str | None = None
    wanted: str = ""
    shown: str | None = None
    attempts: int = 0
    lost: int = 0
    answer: Answer | None = None
    user: str | None = None
    response_url: str | None = None
    last_error: str | None = None
    card_gone: bool = False


NO_LONGER_WANTED = "no_longer_wanted"
"""An error of our own, in place of Slack's: the row does not want the message any more."""


ANSWER_LOST = "answer_lost"
"""Another one: Slack was given the message three times, and never said whether it took it."""


class Unsaid(Frozen):
    """A message that Slack does not show as it should. `due_at` is ms epoch, None when it was given
    up. `posted`: Slack shows an older form of it. `since`: when it was first wanted."""

    slot: str
    error: str | None
    attempts: int
    posted: bool
    since: int
    due_at: int | None


LONGEST_PAUSE_S = 15 * 60
"""Neither an absurd Retry-After nor a time that was stored by a clock that was ahead may silence
the bot for a day. Slack's limits are per minute (Slack docs, rate limits)."""


class PausesPort(Protocol):
    """What a 429 holds back, by Slack's name of the method. All copies share it."""

    def known(self) -> dict[str, int]:
        """By method, the time (ms epoch) before which it may not be called. Times that have passed
        stay for a while: they tell since when Slack has taken everything again."""
        ...

    def hold(self, method: str, seconds: int) -> int:
        """Slack has named these seconds. Returns until when it is held now, never earlier than
        before."""
        ...

    def now(self) -> int:
        """ms epoch, by the same clock as the times above."""
        ...


class OutboxPort(Protocol):
    """The `messages` table as the poster sees it. Each method is one short transaction."""

    def claim(self, paused: dict[str, int]) -> Due | None:
        """The most urgent due message: final words, answers, cards, notices, progress.

        `paused`: by kind of delivery ("post", "edit", "answer"), the time (ms epoch) before which
        none may be sent. For "post" a time that has passed counts too: only a first progress
        message that was wanted after it goes before final words. Replies wait for their card.
        """
        ...

    def request(self, request_id: str) -> Request | None:
        """The row as it is now, with its witnesses. Nothing may be drawn from an older copy."""
        ...

    def sent(self, due: Due, *, ts: str | None, digest: str) -> None:
        """Slack has it. For a card, `CardPosted` goes into the inbox in the same transaction."""
        ...

    def put_off(
        self, due: Due, *, until: int, error: str, refused: bool = False, lost: bool = False
    ) -> None:
        """Slack did not take it this time, or has not said so (`lost`, which is counted). It is not
        tried again before `until` (ms epoch), even if it changes. `refused`: because of the token
        or its scopes; then for a card that was never posted, `CardHeldUp` goes into the inbox."""
        ...

    def given_up(self, due: Due, *, error: str) -> None:
        """Slack will never take it. For a card that was never posted, `CardRefused` goes into the
        inbox. Final words that the channel does not take go to each person concerned, once."""
        ...

    def now(self) -> int:
        """ms epoch by the database's clock."""
        ...

    def wait(self, seconds: float) -> None:
        """Wait until something may be due, at most this long."""
        ...

    def end_waiting(self) -> None:
        """For a stop: whoever waits returns at once, now and later."""
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
