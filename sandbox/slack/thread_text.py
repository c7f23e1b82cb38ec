"""What people read and who is called: a thread as plain text for the terminal, and mentions."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

from .records import Json, Message, Shown
from .workspace import Watch, Workspace

_TOKEN = re.compile(r"<([^<>]+)>")
_INDENT = "    "
_CALLS = re.compile(
    r"<(?:@([UW][A-Z0-9]+)|!subteam\^(S[A-Z0-9]+)|(!(?:channel|here|everyone)))(?:\|[^<>]*)?>"
)


def mentions(shown: Shown) -> set[str]:
    """Who is called: user ids, user group ids, and `!channel`, `!here`, `!everyone`.

    `text` and the mrkdwn texts of the blocks count alike. `plain_text` objects and escaped
    brackets (`&lt;!channel&gt;`) call nobody (Slack docs, formatting message text).
    Assumptions on the safe side: a mention inside a code span counts, and so does one in `text`
    while blocks are shown.
    """
    texts = [shown.text, *_mrkdwn_in(shown.blocks)]
    return {name for text in texts for found in _CALLS.findall(text) for name in found if name}


def _mrkdwn_in(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _mrkdwn_in(item)
    elif isinstance(node, dict):
        if node.get("type") == "mrkdwn":
            yield str(node.get("text"))
        for value in node.values():
            yield from _mrkdwn_in(value)


def render_thread(slack: Watch, channel: str, ts: str) -> str:
    """The message and its replies as Slack would show them, without colours. Times are UTC."""
    ws = slack.workspace
    first, *replies = slack.thread(channel, ts)
    lines = [f"#{ws.channels[channel].name}", *_message_lines(ws, first)]
    for reply in replies:
        lines += ["", *(_INDENT + line for line in _message_lines(ws, reply))]
    return "\n".join(line.rstrip() for line in lines)


def plain(ws: Workspace, text: str) -> str:
    """Slack's markup as words: names for ids, fallbacks for dates, addresses behind links."""

    def words(match: re.Match[str]) -> str:
        inner, _, label = match.group(1).partition("|")
        if inner.startswith("@"):
            person = ws.people.get(inner[1:])
            return "@" + (person.name if person else label or inner[1:])
        if inner.startswith("#"):
            channel = ws.channels.get(inner[1:])
            return "#" + (channel.name if channel else label or inner[1:])
        if inner.startswith("!subteam^"):
            group = ws.groups.get(inner.removeprefix("!subteam^"))
            return "@" + (group.handle if group else label.lstrip("@") or inner)
        if inner.startswith("!date^"):
            return label
        if inner.startswith("!"):
            return "@" + inner[1:]
        return f"{label} ({inner})" if label else inner

    shown = _TOKEN.sub(words, text)
    return shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _message_lines(ws: Workspace, message: Message) -> list[str]:
    person = ws.people.get(message.user)
    clock = time.strftime("%H:%M:%S", time.gmtime(float(message.ts)))
    edited = "" if message.edited is None else "  (edited)"
    lines = [f"{person.name if person else message.user}  {clock}{edited}"]
    for line in _block_lines(message.blocks) if message.blocks else [message.text]:
        lines += plain(ws, line).split("\n")
    return lines


def _block_lines(blocks: list[Json]) -> Iterator[str]:
    for block in blocks:
        kind = block["type"]
        if kind == "header":
            yield block["text"]["text"].upper()
        elif kind == "section":
            texts = [block["text"]] if block.get("text") else []
            yield from (text["text"] for text in [*texts, *(block.get("fields") or [])])
        elif kind == "context":
            for element in block["elements"]:
                yield "· " + element["text"].replace("\n", "\n· ")
        elif kind == "divider":
            yield "-" * 40
        elements = block["elements"] if kind == "actions" else [block.get("accessory")]
        buttons = [f"[ {e['text']['text']} ]" for e in elements if e and e["type"] == "button"]
        if buttons:
            yield " ".join(buttons)
