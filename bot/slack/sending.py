"""One message to Slack: post, edit, or words for one person; and what its failure means.

Nothing here repeats a call: a post whose answer was lost may stand in the channel already, and only
the outbox knows when to try again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.core.delivery import Drawn, Due
from bot.core.messages import Message, Slot
from bot.slack.client import POST_TIMEOUT_S
from bot.slack.pauses import RESPONSE_URL
from bot.slack.response_url import say
from bot.slack.trouble import BROKEN, NO_THREAD_WORDS, Kind, Trouble, trouble_of

Method = Literal["post", "edit", "answer"]
METHODS: dict[Method, str] = {
    "post": "chat.postMessage",
    "edit": "chat.update",
    "answer": RESPONSE_URL,
}
"""What a 429 silences, by Slack's name."""

NEED_TOKEN: tuple[Method, ...] = ("post", "edit")
"""A `response_url` is its own leave (Slack docs, handling interactive payloads)."""

MUST_BE_SAID = frozenset({Slot.FINAL, Slot.CORRECTION, Slot.ALARM})
"""In the channel, where the thread takes no replies: each says by itself what it is about."""

NO_WAY = Trouble(Kind.FINAL, "answer_lapsed")
"""An answer whose `response_url` no longer works, and which nobody needs as a direct message."""


@dataclass(frozen=True)
class Sent:
    """Slack has it; `ts` is None for what has no message of its own."""

    ts: str | None


@dataclass(frozen=True)
class Failed:
    """`method` is the one that Slack refused."""

    method: Method
    trouble: Trouble


Outcome = Sent | Failed


def send(client: WebClient, due: Due, drawn: Drawn) -> Outcome:
    """A message of a request: an edit where it stands already, else a post."""
    message = Message(slot=due.slot)
    # A stray is a message that stands already: posting it would make one more.
    ts = due.ts or (message.which if message.kind is Slot.STRAY else None)
    if ts is not None:
        return _edit(client, due.channel, ts, drawn)
    if message.private:
        return _post(client, message.which, drawn, None)
    if message.in_thread and message.kind is not Slot.CARD and due.thread_ts is None:
        # In the channel instead of the thread it would call everybody to something without context.
        return Failed("post", Trouble(Kind.PASSING, "card_not_posted_yet"))
    # A thread whose card was deleted may be hard to find: the channel sees final words as well.
    broadcast = message.kind is Slot.ALARM or due.card_gone
    outcome = _post(client, due.channel, drawn, due.thread_ts, broadcast=broadcast)
    refused = isinstance(outcome, Failed) and outcome.trouble.word in NO_THREAD_WORDS
    if refused and message.kind in MUST_BE_SAID:
        return _post(client, due.channel, drawn, None)
    return outcome


def tell(client: WebClient, due: Due, drawn: Drawn) -> Outcome:
    """Words for one person: through the `response_url`, or as a direct message when that has
    lapsed and the words still matter."""
    if due.response_url is not None:
        trouble = say(due.response_url, drawn, timeout_s=POST_TIMEOUT_S)
        if trouble is None:
            return Sent(ts=None)
        if trouble.kind is not Kind.FINAL:
            return Failed("answer", trouble)
    if due.user is None or due.answer is None or not due.answer.matters:
        return Failed("answer", NO_WAY)
    # Slack docs, chat.postMessage: a user id as the channel is the conversation with that person.
    return _post(client, due.user, drawn, None)


def _post(
    client: WebClient,
    channel: str,
    drawn: Drawn,
    thread_ts: str | None,
    *,
    broadcast: bool = False,
) -> Outcome:
    body: dict[str, Any] = {"channel": channel, "text": drawn.text}
    if drawn.blocks:
        body["blocks"] = list(drawn.blocks)
    if thread_ts is not None:
        body["thread_ts"] = thread_ts
    if broadcast:
        # In the thread, and in the channel for all who do not follow it (chat.postMessage).
        body["reply_broadcast"] = True
    try:
        answer = client.chat_postMessage(**body, unfurl_links=False, unfurl_media=False)
    except (SlackApiError, *BROKEN) as error:
        return Failed("post", trouble_of(error))
    ts = answer.get("ts")
    if not isinstance(ts, str) or not ts:
        # It was taken, and without its ts it can never be edited: tried again, at the price of two.
        return Failed("post", Trouble(Kind.PASSING, "answer_without_ts"))
    return Sent(ts=ts)


def _edit(client: WebClient, channel: str, ts: str, drawn: Drawn) -> Outcome:
    try:
        # Always with blocks, an empty list too: without them the old ones, buttons included, stay.
        client.chat_update(channel=channel, ts=ts, text=drawn.text, blocks=list(drawn.blocks))
    except (SlackApiError, *BROKEN) as error:
        return Failed("edit", trouble_of(error))
    return Sent(ts=ts)
