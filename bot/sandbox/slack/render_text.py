"""A thread as plain text for the terminal."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

from .records import Json, Message
from .workspace import Workspace

_TOKEN = re.compile(r"<([^<>]+)>")
_INDENT = "    "


def render_thread(ws: Workspace, channel: str, ts: str) -> str:
    """The message and its replies as Slack would show them, without colours. Times are UTC."""
    with ws.lock:
        place = ws.channels[channel]
        parent = ws.messages[channel, ts]
        replies = sorted(
            (m for m in ws.messages.values() if (m.channel, m.thread_ts) == (channel, ts)),
            key=lambda m: m.order,
        )
        lines = [f"#{place.name}", *_message_lines(ws, parent)]
        for reply in replies:
            lines += ["", *(_INDENT + line for line in _message_lines(ws, reply))]
    return "\n".join(line.rstrip() for line in lines)


def plain(ws: Workspace, text: str) -> str:
    """Slack's markup as words: names for ids, fallbacks for dates, addresses behind links."""

    def words(match: re.Match[str]) -> str:
        inner, _, label = match.group(1).partition("|")
        if inner.startswith("@"):
            person = ws.people.get(inner[1:])
            return "@" + (label or (person.name if person else inner[1:]))
        if inner.startswith("#"):
            channel = ws.channels.get(inner[1:])
            return "#" + (label or (channel.name if channel else inner[1:]))
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
    head = f"{person.name if person else message.user}  {clock}"
    if message.deleted:
        return [head, "(deleted)"]
    if message.edited is not None:
        head += "  (edited)"
    return [
        head,
        *(_block_lines(ws, message.blocks) if message.blocks else _text(ws, message.text)),
    ]


def _block_lines(ws: Workspace, blocks: list[Json]) -> Iterator[str]:
    for block in blocks:
        kind = block["type"]
        if kind == "header":
            yield from (line.upper() for line in _text(ws, block["text"]["text"]))
        elif kind == "section":
            yield from _section_lines(ws, block)
        elif kind == "context":
            for element in block["elements"]:
                yield from ("· " + line for line in _text(ws, element["text"]))
        elif kind == "actions":
            yield " ".join(_element_words(element) for element in block["elements"])
        elif kind == "divider":
            yield "-" * 40


def _section_lines(ws: Workspace, block: Json) -> Iterator[str]:
    texts = [block["text"]] if block.get("text") else []
    for text in [*texts, *(block.get("fields") or [])]:
        yield from _text(ws, text["text"])
    if block.get("accessory"):
        yield _element_words(block["accessory"])


def _element_words(element: Json) -> str:
    if element["type"] == "button":
        return f"[ {element['text']['text']} ]"
    return f"[{element['type']}]"


def _text(ws: Workspace, text: str) -> list[str]:
    return plain(ws, text).split("\n")
