"""What is to be seen in the workspace, and waiting for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .records import ApiCall, Ephemeral, Message
from .render_text import render_thread
from .workspace import Workspace

T = TypeVar("T")


class Watch:
    """Reads the workspace. What it returns are snapshots: a later edit gives new objects."""

    workspace: Workspace

    def messages(
        self, channel: str, thread_ts: str | None = None, *, deleted: bool = False
    ) -> list[Message]:
        """The channel's messages, or the replies of one thread, in the order of posting."""
        with self.workspace.lock:
            found = [
                message
                for message in self.workspace.messages.values()
                if message.channel == channel
                and message.thread_ts == thread_ts
                and (deleted or not message.deleted)
            ]
        return sorted(found, key=lambda message: message.order)

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
            return [shown for _, shown in self.workspace.ephemerals if shown.user == user]

    def direct_messages(self, user: str) -> list[Message]:
        """The conversation between this person and the bot."""
        with self.workspace.lock:
            open_ones = [c.id for c in self.workspace.channels.values() if c.dm_with == user]
        return self.messages(open_ones[0]) if open_ones else []

    @property
    def calls(self) -> list[ApiCall]:
        """Every call of the bot, refused ones included, oldest first."""
        with self.workspace.lock:
            return list(self.workspace.calls)

    def calls_of(self, method: str) -> list[ApiCall]:
        return [call for call in self.calls if call.method == method]

    def wait_for(self, predicate: Callable[[], T], timeout_seconds: float = 10) -> T:
        """The first true value of `predicate`. Raises TimeoutError, naming the last calls."""
        return self.workspace.wait_for(predicate, timeout_seconds)

    def wait_for_message(
        self,
        channel: str,
        predicate: Callable[[Message], bool] = lambda message: True,
        *,
        thread_ts: str | None = None,
        timeout_seconds: float = 10,
    ) -> Message:
        """The first message of the channel (or reply of the thread) that `predicate` accepts."""

        def look() -> Message | None:
            found = [message for message in self.messages(channel, thread_ts) if predicate(message)]
            return found[0] if found else None

        message = self.wait_for(look, timeout_seconds)
        assert message is not None  # noqa: S101 - for mypy: `wait_for` gives what is there
        return message

    def wait_for_ephemeral(
        self,
        user: str,
        predicate: Callable[[Ephemeral], bool] = lambda shown: True,
        *,
        timeout_seconds: float = 10,
    ) -> Ephemeral:
        """The first thing shown to this person alone that `predicate` accepts."""

        def look() -> Ephemeral | None:
            found = [shown for shown in self.ephemerals(user) if predicate(shown)]
            return found[0] if found else None

        shown = self.wait_for(look, timeout_seconds)
        assert shown is not None  # noqa: S101 - for mypy, as above
        return shown

    def render_thread(self, channel: str, ts: str) -> str:
        """A thread as plain text for the terminal."""
        return render_thread(self.workspace, channel, ts)
