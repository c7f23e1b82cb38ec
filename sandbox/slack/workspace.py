"""The workspace: who and what is there, under one lock, with a bell for every change; and watching
it."""

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
    Person,
    ResponseUrl,
    Trigger,
    View,
    elements_in,
)

T = TypeVar("T")

#: How often a wait looks again without a change here: predicates may ask other things too.
_LOOK_AGAIN_SECONDS = 0.2


class Workspace:
    """Pure data of one workspace. Hold `changing()` for every write, `lock` for compound reads."""

    def __init__(self, clock: Callable[[], float], slash_command: str) -> None:
        self.clock = clock
        self.slash_command = slash_command
        self.lock = threading.RLock()
        self.bell = threading.Condition(self.lock)
        self.changes = 0
        self._numbers = itertools.count(1)
        self.team_id = "T0LOCAL01"
        self.team_name = "local"
        #: None, or the Enterprise Grid that this workspace belongs to.
        self.enterprise_id: str | None = None
        self.app_id = "A0LOCAL01"
        self.bot_id = "B0LOCAL01"
        self.bot_user_id = "U0LOCALBOT"
        self.bot_token = "xoxb-local-sandbox-token"  # noqa: S105 - of the sandbox alone
        self.app_token = "xapp-local-sandbox-token"  # noqa: S105 - of the sandbox alone
        #: Tokens that were right once.
        self.revoked: set[str] = set()
        #: The bot token's scopes; change the set or put another one.
        self.scopes: set[str] = {
            "commands",
            "chat:write",
            "users:read",
            "usergroups:read",
            "channels:read",
            "groups:read",
        }
        self.paid_plan = True
        #: Whether a thread whose first message was deleted still takes replies.
        self.deleted_takes_replies = False
        self.people: dict[str, Person] = {}
        self.groups: dict[str, Group] = {}
        self.channels: dict[str, Channel] = {}
        #: By channel and `ts`, in the order of posting.
        self.messages: dict[tuple[str, str], Message] = {}
        self.ephemerals: list[Ephemeral] = []
        #: The modal on each person's screen.
        self.views: dict[str, View] = {}
        #: The Home tab of each person, as the bot published it last.
        self.homes: dict[str, Json] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.calls: list[ApiCall] = []
        bot = Person(self.bot_user_id, slash_command.lstrip("/"), self.team_id, bot=True)
        self.people[bot.id] = bot

    def refusal(self, token: str | None) -> str:
        """Slack's word for a token that it does not take."""
        if token in self.revoked:
            return "token_revoked"
        return "invalid_auth" if token else "not_authed"

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the lock, and ring the bell at the end, also when something was refused."""
        with self.bell:
            try:
                yield
            finally:
                self.changes += 1
                self.bell.notify_all()

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
        message = Message(
            ts=self.new_ts(),
            channel=channel,
            thread_ts=thread_ts,
            text=text,
            blocks=self.with_ids(blocks),
            user=user,
            broadcast=broadcast,
        )
        self.messages[channel, message.ts] = message
        return message

    def edit_message(self, message: Message, **changed: object) -> Message:
        """Raises TypeError for what a message has not."""
        edited = replace(message, **changed)  # type: ignore[arg-type]
        self.messages[message.channel, message.ts] = edited
        return edited

    def message(self, channel: str, ts: str) -> Message | None:
        """The message as it stands, None when it was never there or is deleted."""
        found = self.messages.get((channel, ts))
        return None if found is None or found.deleted else found

    def with_ids(self, blocks: list[Json]) -> list[Json]:
        """A copy where blocks and elements that came without an id got one, as Slack does."""
        blocks = copy.deepcopy(blocks)
        for block in blocks:
            block.setdefault("block_id", f"b{self.number()}")
        for _, element in elements_in(blocks):
            element.setdefault("action_id", f"a{self.number()}")
        return blocks

    def direct_channel(self, user: str) -> Channel:
        """The conversation between this person and the bot, opened when it is not there yet."""
        for channel in self.channels.values():
            if channel.dm_with == user:
                return channel
        channel = Channel(self.new_id("D"), "directmessage", dm_with=user)
        self.channels[channel.id] = channel
        return channel

    def new_trigger(self, user: str) -> Trigger:
        trigger_id = f"{self.number()}.{self.number()}.{self.number():032x}"
        self.triggers[trigger_id] = Trigger(trigger_id, user, self.clock())
        return self.triggers[trigger_id]

    def new_response_url(
        self, trigger: Trigger, channel: str, kind: str = "commands"
    ) -> ResponseUrl:
        """For what was just done there; `kind` is `commands` or `actions`, as in Slack's."""
        path = f"/{kind}/{self.team_id}/{self.number()}/{self.number():024x}"
        self.response_urls[path] = ResponseUrl(path, trigger, channel)
        return self.response_urls[path]


class Watch:
    """Reads the workspace. What it returns are snapshots: a later edit gives new objects."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def messages(self, channel: str, thread_ts: str | None = None) -> list[Message]:
        """The channel's messages, or the replies of one thread, in the order of posting."""
        with self.workspace.lock:
            return [
                message
                for message in self.workspace.messages.values()
                if message.channel == channel
                and message.thread_ts == thread_ts
                and not message.deleted
            ]

    def message(self, channel: str, ts: str) -> Message | None:
        """One message as it stands; None when it is not there or deleted."""
        with self.workspace.lock:
            return self.workspace.message(channel, ts)

    def thread(self, channel: str, ts: str) -> list[Message]:
        """The message and its replies."""
        parent = self.message(channel, ts)
        return [*([parent] if parent else []), *self.messages(channel, ts)]

    def ephemerals(self, user: str) -> list[Ephemeral]:
        """What this person alone was shown, oldest first."""
        with self.workspace.lock:
            return [shown for shown in self.workspace.ephemerals if shown.user == user]

    def direct_messages(self, user: str) -> list[Message]:
        """The conversation between this person and the bot."""
        with self.workspace.lock:
            open_ones = [c.id for c in self.workspace.channels.values() if c.dm_with == user]
        return self.messages(open_ones[0]) if open_ones else []

    @property
    def views(self) -> dict[str, View]:
        """The modal of each person who has one open."""
        with self.workspace.lock:
            return dict(self.workspace.views)

    def home(self, user: str) -> Json | None:
        """What the bot published last for this person's Home tab; None: nothing yet."""
        with self.workspace.lock:
            return self.workspace.homes.get(user)

    @property
    def calls(self) -> list[ApiCall]:
        """Every call of the bot, refused ones included, oldest first."""
        with self.workspace.lock:
            return list(self.workspace.calls)

    def calls_of(self, method: str) -> list[ApiCall]:
        return [call for call in self.calls if call.method == method]

    def wait_for(self, predicate: Callable[[], T], timeout_seconds: float = 10) -> T:
        """The first true value of `predicate`, asked at each change.

        It is asked without the lock, so it may look at other things as well. Raises TimeoutError,
        naming the last calls.
        """
        ws, until = self.workspace, time.monotonic() + timeout_seconds
        while True:
            with ws.lock:
                seen = ws.changes
            value = predicate()
            if value:
                return value
            left = until - time.monotonic()
            if left <= 0:
                last = [f"{c.method} {c.error or c.fault or 'ok'}" for c in self.calls[-8:]]
                raise TimeoutError(f"not within {timeout_seconds} s; the bot's last calls: {last}")
            with ws.bell:
                ws.bell.wait_for(
                    lambda seen=seen: ws.changes != seen,  # type: ignore[misc]
                    min(left, _LOOK_AGAIN_SECONDS),
                )

    def wait_for_message(
        self,
        channel: str,
        predicate: Callable[[Message], bool] = lambda message: True,
        *,
        thread_ts: str | None = None,
        timeout_seconds: float = 10,
    ) -> Message:
        """The first message of the channel (or reply of the thread) that `predicate` accepts."""
        return self.wait_for(
            lambda: [m for m in self.messages(channel, thread_ts) if predicate(m)], timeout_seconds
        )[0]
