"""Send one message to Slack: post, edit, or an answer to one person; and say what a failure means.

Nothing here repeats a call. A post whose answer was lost may stand in the channel already, and the
poster decides when to try again.

An answer goes through the `response_url` of a command or click, which works five times within 30
minutes (Slack docs, handling interactive payloads). With the address anybody could post in the
channel, so it is never logged; of an error only the kind is. It comes in a request, so it is used
on Slack's own host alone, and no redirect is followed.

`Whisper` says a sentence in the background and without guarantee: the acknowledgement of a click
cannot carry words, and a listener must not wait for Slack. What is said so is about nothing stored
("that button carries nonsense", "click again"), so it may be lost when the process ends. Whatever
matters goes through the outbox.
"""

from __future__ import annotations

import ipaddress
import json
import math
import queue
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.request.messages import Drawn, Due, Message, Slot
from bot.slack.send.slack_problem import (
    BROKEN,
    Kind,
    SlackProblem,
    answered,
    problem_of,
    unanswered,
)
from bot.slack.send.web_api import POST_TIMEOUT_S, pool_for, post_once
from bot.store.slack_pauses import RESPONSE_URL, Pauses
from bot.threads import Threads

log = structlog.get_logger(__name__)

POST = "chat.postMessage"
EDIT = "chat.update"
MUST_BE_SAID = frozenset({Slot.FINAL, Slot.CORRECTION, Slot.ALARM})
"""These go into the channel when the thread refuses them: each can be understood by itself."""

ELSEWHERE = "next_elsewhere"
"""An error of our own: its thread, or the `response_url`, will never take it, and the next try goes
to the channel, or as a direct message. Not the same try: a message is held for one call."""

NO_WAY = SlackProblem(Kind.FINAL, "answer_lapsed")
"""An answer whose `response_url` no longer works, and which nobody needs as a direct message."""


@dataclass(frozen=True)
class Failed:
    """`method` is the one that Slack refused."""

    method: str
    problem: SlackProblem


def send(client: WebClient, due: Due, drawn: Drawn) -> str | Failed:
    """Edit a message that is there already, or post it. Returns its `ts`."""
    message = Message(slot=due.slot)
    # A stray is in Slack already: to post it would add one more.
    ts = due.ts or (message.which if message.kind is Slot.STRAY else None)
    if ts is not None:
        try:
            # Always send blocks, even an empty list: else the old ones stay, buttons included.
            blocks = list(drawn.blocks)
            client.chat_update(channel=due.channel, ts=ts, text=drawn.text, blocks=blocks)
        except (SlackApiError, *BROKEN) as error:
            return Failed(EDIT, problem_of(error))
        return ts
    if message.person is not None:
        # Slack docs, chat.postMessage: a user id as the channel is the conversation with that
        # person.
        return _post(client, message.person, drawn, None)
    if message.in_thread and message.kind is not Slot.CARD and due.thread_ts is None:
        # Outside of a thread it would tell the whole channel something without its context.
        return Failed(POST, SlackProblem(Kind.PASSING, "card_not_posted_yet"))
    # A thread whose card was deleted may be hard to find: the channel sees final words as well.
    broadcast = message.kind is Slot.ALARM or due.card_gone
    if due.last_error == ELSEWHERE:
        # Its thread may be locked or gone; if the channel is closed, this is refused as well.
        return _post(client, due.channel, drawn, None)
    return _post(client, due.channel, drawn, due.thread_ts, broadcast=broadcast)


def goes_elsewhere(due: Due) -> bool:
    """Whether there is another place for a message that was refused for good where it was sent."""
    if due.last_error == ELSEWHERE:
        return False
    if due.answer is not None:
        return due.response_url is not None and due.user is not None and due.answer.matters
    in_thread = due.ts is None and due.thread_ts is not None
    return in_thread and Message(slot=due.slot).kind in MUST_BE_SAID


def tell(client: WebClient, due: Due, drawn: Drawn, pauses: Pauses) -> str | Failed | None:
    """Words for one person: through the `response_url`, or as a direct message when that has
    lapsed and the words still matter. No post while a 429 holds posts back: the outbox has only
    seen to `response_url`. Returns the `ts` of a direct message."""
    if due.response_url is not None and due.last_error != ELSEWHERE:
        problem = say(due.response_url, drawn, api_url=client.base_url, timeout_s=POST_TIMEOUT_S)
        if problem is None:
            return None
        lapsed = problem.kind is Kind.FINAL and not goes_elsewhere(due)
        return Failed(RESPONSE_URL, NO_WAY if lapsed else problem)
    if due.user is None or due.answer is None or not due.answer.matters:
        return Failed(RESPONSE_URL, NO_WAY)
    if left_ms := pauses.left_ms(POST):
        return Failed(POST, SlackProblem(Kind.LIMITED, "ratelimited", math.ceil(left_ms / 1000)))
    return _post(client, due.user, drawn, None)


def _post(
    client: WebClient,
    channel: str,
    drawn: Drawn,
    thread_ts: str | None,
    *,
    broadcast: bool = False,
) -> str | Failed:
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
        return Failed(POST, problem_of(error))
    ts = answer.get("ts")
    if not isinstance(ts, str) or not ts:
        # Slack took it, but without its `ts` it could never be edited.
        return Failed(POST, SlackProblem(Kind.PASSING, "answer_without_ts", maybe_taken=True))
    return ts


def say(url: str, drawn: Drawn, *, api_url: str, timeout_s: int) -> SlackProblem | None:
    """Send an ephemeral message, which never replaces another. None if Slack accepted it.
    `api_url` (SLACK_API_URL) tells which host is Slack's."""
    if not is_of_slack(url, api_url):
        return SlackProblem(Kind.FINAL, "response_url_not_slack")
    body: dict[str, Any] = {
        "response_type": "ephemeral",
        "replace_original": False,
        "text": drawn.text,
    }
    if drawn.blocks:
        body["blocks"] = drawn.blocks
    try:
        with pool_for(url, timeout_s) as pool:
            answer = post_once(pool, url, json.dumps(body).encode(), "application/json")
    except BROKEN as error:
        return unanswered(error)
    if 200 <= answer.status < 300:
        return None
    word = f"response_url_lapsed_{answer.status}"
    problem = answered(answer.status, word, answer.headers.get("Retry-After"))
    # Slack answers 404 if the address is used up or has expired, and 400 to a body that it will not
    # show. Neither changes with time. Its words are dropped, since they could quote the address.
    final = answer.status < 500 and problem.kind is Kind.PASSING
    return SlackProblem(Kind.FINAL, problem.word) if final else problem


def is_of_slack(url: str, api_url: str) -> bool:
    """Whether the address is on the host that answers commands for this Web API: for slack.com that
    is hooks.slack.com, for slack-gov.com hooks.slack-gov.com, and for a test double on this machine
    any other on this machine."""
    try:
        address, api = urlsplit(url), urlsplit(api_url)
        host, api_host, port = address.hostname or "", api.hostname or "", address.port
    except ValueError:  # no number as a port, a bracket that is not closed
        return False
    if _on_this_machine(api_host):
        return address.scheme in ("http", "https") and _on_this_machine(host)
    return address.scheme == "https" and port is None and host in (api_host, f"hooks.{api_host}")


def _on_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


WAITING_MOST = 100
"""Sentences that are not sent yet. More means that somebody keeps pressing a dead button."""

WHISPER_TIMEOUT_S = 3

TRIES = 2
"""A sentence that was answered with 429 is sent once more after the pause."""


class Whisper:
    """Has a thread of its own. `api_url`: SLACK_API_URL."""

    def __init__(self, pauses: Pauses, api_url: str) -> None:
        self._pauses = pauses
        self._api_url = api_url
        self._threads = Threads()
        self._queue: queue.Queue[tuple[str, Drawn] | None] = queue.Queue(WAITING_MOST)
        self._threads.start("whisper", self._run)

    def tell(self, response_url: str | None, words: str | Drawn) -> None:
        """Send a sentence, or what was drawn. Never blocks and never raises."""
        said = words if isinstance(words, Drawn) else Drawn(text=words)
        if not response_url:
            log.warning("whisper_dropped", why="no response_url")
        elif self._threads.stopping.is_set():
            log.warning("whisper_dropped", why="the bot stops")
        else:
            try:
                self._queue.put_nowait((response_url, said))
            except queue.Full:
                log.warning("whisper_dropped", why="too many wait")

    def stop(self, seconds: float) -> bool:
        """Drop what still waits, and give the current call so many seconds to end. Returns whether
        the thread has ended. May be called again to give it more time."""
        self._threads.stopping.set()
        with suppress(queue.Full):  # then there is something for it to wake up for
            self._queue.put_nowait(None)
        return self._threads.stop(seconds)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None and not self._threads.stopping.is_set():
            try:
                self._say(*item)
            except Exception:
                log.exception("whisper_failed")

    def _held_back_ms(self) -> int:
        try:
            return self._pauses.left_ms(RESPONSE_URL)
        except Exception as error:
            # The database, which holds the pauses, is away, and the sentence says just that:
            # nothing was stored. A call that is too early is better than a click without an answer.
            log.warning("whisper_pause_unread", error=type(error).__name__)
            return 0

    def _say(self, url: str, said: Drawn) -> None:
        for _ in range(TRIES):
            if self._threads.stopping.wait(self._held_back_ms() / 1000):
                return
            problem = say(url, said, api_url=self._api_url, timeout_s=WHISPER_TIMEOUT_S)
            if problem is None:
                return
            log.warning("whisper_failed", error=problem.word)
            if problem.kind is not Kind.LIMITED:
                return
            self._pauses.hold(RESPONSE_URL, problem.retry_after_s)
