"""Send one message to Slack: post, edit, or an answer to one person; and say what a failure means.

Nothing here repeats a call. A post whose answer was lost may stand in the channel already, and the
outbox decides when to try again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.request.messages import Drawn, Due, Message, Slot
from bot.slack.send.client import POST_TIMEOUT_S
from bot.slack.send.problems import BROKEN, NO_THREAD_WORDS, Kind, SlackProblem, problem_of
from bot.slack.send.whisper import say
from bot.store.shared import RESPONSE_URL

Method = Literal["post", "edit", "answer"]
METHODS: dict[Method, str] = {
    "post": "chat.postMessage",
    "edit": "chat.update",
    "answer": RESPONSE_URL,
}
"""Slack's name of the method: a 429 holds back all calls of it."""

MUST_BE_SAID = frozenset({Slot.FINAL, Slot.CORRECTION, Slot.ALARM})
"""These go into the channel when the thread takes no replies: each can be understood by itself."""

NO_WAY = SlackProblem(Kind.FINAL, "answer_lapsed")
"""An answer whose `response_url` no longer works, and which nobody needs as a direct message."""


@dataclass(frozen=True)
class Sent:
    """Slack has it; `ts` is None for what has no message of its own."""

    ts: str | None


@dataclass(frozen=True)
class Failed:
    """`method` is the one that Slack refused."""

    method: Method
    problem: SlackProblem


Outcome = Sent | Failed


def send(client: WebClient, due: Due, drawn: Drawn) -> Outcome:
    """Edit a message that is there already, or post it."""
    message = Message(slot=due.slot)
    # A stray is in Slack already: to post it would add one more.
    ts = due.ts or (message.which if message.kind is Slot.STRAY else None)
    if ts is not None:
        return _edit(client, due.channel, ts, drawn)
    if message.person is not None:
        # Slack docs, chat.postMessage: a user id as the channel is the conversation with that
        # person.
        return _post(client, message.person, drawn, None)
    if message.in_thread and message.kind is not Slot.CARD and due.thread_ts is None:
        # Outside of a thread it would tell the whole channel something without its context.
        return Failed("post", SlackProblem(Kind.PASSING, "card_not_posted_yet"))
    # A thread whose card was deleted may be hard to find: the channel sees final words as well.
    broadcast = message.kind is Slot.ALARM or due.card_gone
    outcome = _post(client, due.channel, drawn, due.thread_ts, broadcast=broadcast)
    refused = isinstance(outcome, Failed) and outcome.problem.word in NO_THREAD_WORDS
    if refused and message.kind in MUST_BE_SAID:
        return _post(client, due.channel, drawn, None)
    return outcome


def tell(client: WebClient, due: Due, drawn: Drawn) -> Outcome:
    """Words for one person: through the `response_url`, or as a direct message when that has
    lapsed and the words still matter."""
    if due.response_url is not None:
        problem = say(due.response_url, drawn, api_url=client.base_url, timeout_s=POST_TIMEOUT_S)
        if problem is None:
            return Sent(ts=None)
        if problem.kind is not Kind.FINAL:
            return Failed("answer", problem)
    if due.user is None or due.answer is None or not due.answer.matters:
        return Failed("answer", NO_WAY)
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
        return Failed("post", problem_of(error))
    ts = answer.get("ts")
    if not isinstance(ts, str) or not ts:
        # Slack took it, but without its `ts` it could never be edited.
        return Failed("post", SlackProblem(Kind.PASSING, "answer_without_ts", maybe_taken=True))
    return Sent(ts=ts)


def _edit(client: WebClient, channel: str, ts: str, drawn: Drawn) -> Outcome:
    try:
        # Always send blocks, even an empty list: otherwise the old ones stay, buttons included.
        client.chat_update(channel=channel, ts=ts, text=drawn.text, blocks=list(drawn.blocks))
    except (SlackApiError, *BROKEN) as error:
        return Failed("edit", problem_of(error))
    return Sent(ts=ts)
