"""The workspace: who and what is there, under one lock, with a bell for every change."""

from __future__ import annotations

import copy
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from .records import (
    ApiCall,
    Channel,
    Ephemeral,
    Group,
    Json,
    Message,
    Origin,
    Person,
    ResponseUrl,
    Trigger,
    View,
)

T = TypeVar("T")

#: How often a wait looks again without a change here: predicates may ask other things too.
_LOOK_AGAIN_SECONDS = 0.2


class Workspace:
    """Pure data of one workspace. Hold `changing()` for every write, `lock` for compound reads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self._bell = threading.Condition(self.lock)
        self._changes = 0
        self._numbers = itertools.count(1)
        self.team_id = "T0LOCAL01"
        self.team_name = "local"
        self.enterprise_id: str | None = None
        self.app_id = "A0LOCAL01"
        self.bot_id = "B0LOCAL01"
        self.bot_user_id = "U0LOCALBOT"
        self.bot_token = "xoxb-local-sandbox-token"  # noqa: S105 - of the sandbox alone
        self.app_token = "xapp-local-sandbox-token"  # noqa: S105 - of the sandbox alone
        self.scopes: set[str] = {
            "commands",
            "chat:write",
            "users:read",
            "usergroups:read",
            "channels:read",
            "groups:read",
        }
        self.paid_plan = True
        self.text_only_update_keeps_blocks = True
        #: Whether a thread whose first message was deleted still takes replies.
        self.deleted_takes_replies = False
        self.people: dict[str, Person] = {}
        self.groups: dict[str, Group] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: dict[tuple[str, str], Message] = {}
        self.ephemerals: list[tuple[str | None, Ephemeral]] = []
        self.stacks: dict[str, list[View]] = {}
        #: The home tab of each person, as the bot published it last.
        self.homes: dict[str, Json] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.calls: list[ApiCall] = []
        bot = Person(self.bot_user_id, "vr-unpair", self.team_id, bot=True)
        self.people[bot.id] = bot

    def as_app(self, name: str) -> Workspace:
        """The same workspace as one more app sees it: people, channels, messages and screens are
        shared; who the app is, what it may, and what was made for it alone are its own."""
        other = copy.copy(self)
        number = self.number()
        other.app_id, other.bot_id = f"A0APP{number:04d}", f"B0APP{number:04d}"
        other.bot_user_id = f"U0APP{number:04d}"
        other.bot_token = f"xoxb-local-sandbox-token-{number}"
        other.app_token = f"xapp-local-sandbox-token-{number}"
        other.scopes = set(self.scopes)
        other.homes, other.triggers, other.response_urls, other.calls = {}, {}, {}, []
        with self.changing():
            bot = Person(other.bot_user_id, name, self.team_id, bot=True)
            self.people[bot.id] = bot
        return other

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the lock, and ring the bell at the end, also when something was refused."""
        with self._bell:
            try:
                yield
            finally:
                self._changes += 1
                self._bell.notify_all()

    def wait_for(self, predicate: Callable[[], T], timeout_seconds: float) -> T:
        """The first true value of `predicate`, asked at each change.

        It is asked without the lock, so it may look at other things as well. Raises TimeoutError.
        """
        until = time.monotonic() + timeout_seconds
        while True:
            with self.lock:
                seen = self._changes
            value = predicate()
            if value:
                return value
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"not within {timeout_seconds} s; {self._last_calls()}")
            with self._bell:
                self._bell.wait_for(
                    lambda seen=seen: self._changes != seen,  # type: ignore[misc]
                    min(left, _LOOK_AGAIN_SECONDS),
                )

    def _last_calls(self) -> str:
        with self.lock:
            last = self.calls[-8:]
        if not last:
            return "the bot made no call"
        words = [f"{call.method} {call.error or call.fault or 'ok'}" for call in last]
        return "the last calls were: " + ", ".join(words)

    def number(self) -> int:
        """A number never given before."""
        return next(self._numbers)

    def new_id(self, prefix: str) -> str:
        return f"{prefix}0{self.number():07d}"

    def new_ts(self) -> str:
        """A message `ts`: unique and, read as text of equal length, in the order of posting."""
        return f"{int(self.clock())}.{self.number():06d}"

    def add_message(
        self,
        channel: str,
        text: str,
        blocks: list[Json],
        *,
        user: str,
        thread_ts: str | None,
        broadcast: bool = False,
    ) -> Message:
        own = user == self.bot_user_id
        message = Message(
            ts=self.new_ts(),
            channel=channel,
            thread_ts=thread_ts,
            text=text,
            blocks=self.with_ids(blocks),
            user=user,
            order=self.number(),
            bot_id=self.bot_id if own else None,
            app_id=self.app_id if own else None,
            broadcast=broadcast,
        )
        self.messages[channel, message.ts] = message
        return message

    def edit_message(self, message: Message, text: str, blocks: list[Json]) -> Message:
        changed = replace(
            message,
            text=text,
            blocks=self.with_ids(blocks),
            edited=self.clock(),
            edits=message.edits + 1,
        )
        self.messages[message.channel, message.ts] = changed
        return changed

    def delete_message(self, message: Message) -> None:
        self.messages[message.channel, message.ts] = replace(message, deleted=True)

    def message(self, channel: str, ts: str) -> Message | None:
        """The message as it stands, None when it was never there or is deleted."""
        found = self.messages.get((channel, ts))
        return None if found is None or found.deleted else found

    def with_ids(self, blocks: list[Json]) -> list[Json]:
        """A copy where blocks and elements that came without an id got one, as Slack does."""
        blocks = copy.deepcopy(blocks)
        for block in blocks:
            block.setdefault("block_id", f"b{self.number()}")
            for element in [*_interactive(block)]:
                element.setdefault("action_id", f"a{self.number()}")
        return blocks

    def direct_channel(self, user: str) -> Channel:
        """The conversation between this person and the bot, opened when it is not there yet."""
        for channel in self.channels.values():
            if channel.dm_with == user:
                return channel
        channel = Channel(self.new_id("D"), "directmessage", members={user}, dm_with=user)
        self.channels[channel.id] = channel
        return channel

    def new_trigger(self, user: str, view_id: str | None = None) -> Trigger:
        trigger_id = f"{self.number()}.{self.number()}.{self.number():032x}"
        trigger = Trigger(trigger_id, user, self.clock(), view_id)
        self.triggers[trigger.id] = trigger
        return trigger

    def new_response_url(self, origin: Origin, channel: str) -> ResponseUrl:
        kind = "commands" if origin.kind == "command" else "actions"
        path = f"/{kind}/{self.team_id}/{self.number()}/{self.number():024x}"
        self.response_urls[path] = ResponseUrl(path, origin, channel, self.clock())
        return self.response_urls[path]

    def view(self, view_id: str) -> View | None:
        """An open modal by its id."""
        for stack in self.stacks.values():
            for view in stack:
                if view.id == view_id:
                    return view
        return None


def _interactive(block: Json) -> Iterator[Json]:
    if block["type"] == "actions":
        yield from block["elements"]
    for name in ("accessory", "element"):
        element = block.get(name)
        if element:
            yield element
