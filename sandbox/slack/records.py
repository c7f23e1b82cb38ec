"""What a workspace is made of: people, channels, messages, modals; and Slack's way to say no."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass
class Person:
    """A user as `users.info` shows it (Slack docs, users.info)."""

    id: str
    name: str
    team_id: str
    enterprise_id: str | None = None
    guest: bool = False
    ultra_guest: bool = False
    deleted: bool = False
    bot: bool = False
    zone: str = "Etc/UTC"
    display_name: str = ""

    @property
    def handle(self) -> str:
        return self.name.lower().replace(" ", ".")


@dataclass
class Group:
    """A user group; `handle` is without the `@`."""

    id: str
    handle: str
    members: list[str]
    disabled: bool = False


@dataclass
class Channel:
    """A conversation; `dm_with` is set for direct messages. `members` None: everybody."""

    id: str
    name: str
    private: bool = False
    bot_is_member: bool = True
    archived: bool = False
    dm_with: str | None = None
    members: frozenset[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What stands in a channel or thread, for all or for one person."""

    ts: str
    channel: str
    text: str
    blocks: list[Json]
    user: str
    thread_ts: str | None = None

    @property
    def all_text(self) -> str:
        """`text` and every text inside the blocks, a line each: for plain assertions."""
        return "\n".join([self.text, *texts_in(self.blocks)])

    def buttons(self) -> list[Json]:
        """The buttons that can be pressed now, as they stand in the blocks."""
        return [element for _, element in elements_in(self.blocks) if element["type"] == "button"]

    def button(self, action_id: str) -> Json | None:
        """The first button with this `action_id`, or None."""
        found = [button for button in self.buttons() if button.get("action_id") == action_id]
        return found[0] if found else None


@dataclass(frozen=True, kw_only=True)
class Message(Shown):
    """One message as it stands now; `user` wrote it. An edit gives a new object with the same `ts`.

    `edited` is the time of the last edit in epoch seconds; `edits` how many there were. A
    `broadcast` reply is seen in the channel as well as in its thread.
    """

    edited: float | None = None
    edits: int = 0
    deleted: bool = False
    broadcast: bool = False


@dataclass(frozen=True, kw_only=True)
class Ephemeral(Shown):
    """What `user` alone sees, and the trigger of what they did that it answers. `via` is
    `response_url` or `ack`. What `chat.postEphemeral` shows is not played here: it does not say
    what it is about."""

    via: str
    trigger_id: str


@dataclass
class View:
    """A modal on somebody's screen. `definition` is the view as the bot sent it.

    `chosen` are values picked before the submission (by block id), `options` what an external
    select offered last, `errors` what the bot said to the last submission.
    """

    id: str
    user: str
    definition: Json
    hash: str
    chosen: Json = field(default_factory=dict)
    options: dict[str, list[Json]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def callback_id(self) -> str:
        return str(self.definition.get("callback_id") or "")

    @property
    def title(self) -> str:
        return str(self.definition["title"]["text"])

    @property
    def private_metadata(self) -> str:
        return str(self.definition.get("private_metadata") or "")

    @property
    def blocks(self) -> list[Json]:
        blocks: list[Json] = self.definition["blocks"]
        return blocks

    @property
    def all_text(self) -> str:
        """Title and every text inside the blocks, a line each."""
        return "\n".join([self.title, *texts_in(self.blocks)])

    def block(self, block_id: str) -> Json | None:
        """The block with this id, or None."""
        found = [block for block in self.blocks if block.get("block_id") == block_id]
        return found[0] if found else None


@dataclass
class Trigger:
    """A `trigger_id`: good for three seconds and one use (Slack docs, modals)."""

    id: str
    user: str
    made_at: float
    used: bool = False


@dataclass
class ResponseUrl:
    """A `response_url`: five uses in thirty minutes (Slack docs, handling user interaction)."""

    path: str
    trigger: Trigger
    channel: str
    uses: int = 0


@dataclass(frozen=True)
class ApiCall:
    """One call that the bot made. `method` is `response_url` for an answer to such an address.

    `response` is None where no answer left (a hang); `status` is the HTTP status meant for it.
    """

    at: float
    method: str
    args: Json
    response: Json | None
    status: int
    fault: str | None = None

    @property
    def error(self) -> str | None:
        """Slack's error name, or None when the call was fine."""
        return None if self.response is None else self.response.get("error")


def elements_in(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Each interactive element with its block: actions, section accessories, inputs."""
    for block in blocks:
        single = block.get("accessory") or block.get("element")
        for element in block["elements"] if block["type"] == "actions" else [single]:
            if element:
                yield block, element


def texts_in(node: Any) -> Iterator[str]:
    """Every string under a key `text`, in the order of reading."""
    if isinstance(node, list):
        for item in node:
            yield from texts_in(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "text" and isinstance(value, str):
                yield value
            elif isinstance(value, dict | list):
                yield from texts_in(value)


class SlackError(Exception):
    """`ok: false` with an error name; `details` are further keys of the answer."""

    def __init__(self, error: str, **details: Any) -> None:
        super().__init__(error)
        self.error = error
        self.details = details

    def body(self) -> Json:
        return {"ok": False, "error": self.error, **self.details}


def invalid(error: str, problems: list[str]) -> SlackError:
    """`invalid_blocks` or `invalid_arguments` with what is wrong, in the two places Slack has."""
    messages = [f"[ERROR] {problem}" for problem in problems]
    details: Json = {"response_metadata": {"messages": messages}}
    if error == "invalid_blocks":
        details["errors"] = problems
    return SlackError(error, **details)


def required(args: Json, *names: str) -> list[str]:
    """The arguments by name; raises SlackError `invalid_arguments` for a missing one."""
    missing = [name for name in names if args.get(name) in (None, "")]
    if missing:
        raise invalid("invalid_arguments", [f"missing required field: {n}" for n in missing])
    return [str(args[name]) for name in names]


def truthy(value: Any) -> bool:
    """Booleans as they come in forms: `true`, `1`."""
    return value in (True, "true", "True", "1", 1)
