"""Slack's limits and marks, written down a second time: what the drawing is checked against."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any

from bot.request.messages import Drawn

ALL_TEXT = 13_000
_OURS = re.compile(
    r"<@[UW][A-Z0-9]+>|<!subteam\^S[A-Z0-9]+>|<#C[A-Z0-9]+>"
    r"|<https://[\w./-]+\|(?:Open )?[A-Z0-9-]+>"
    r"|<!date\^\d+\^\{date_short_pretty\} \{time\}\|\d{4}-\d\d-\d\d \d\d:\d\d UTC>"
)
_ENTITY = re.compile(r"&(?:amp|lt|gt);")
_CALLS = re.compile(r"<@([UW][A-Z0-9]+)>|<!subteam\^(S[A-Z0-9]+)>")


def problems(drawn: Drawn, *, foreign_people: bool = True) -> list[str]:
    """What Slack would refuse or misread; empty when nothing."""
    found: list[str] = []
    if not drawn.text.strip():
        found.append("no fallback text")
    if size(drawn.text) > 4_000:
        found.append("text too long to be edited")
    if len(drawn.blocks) > 50:
        found.append("too many blocks")
    for block in drawn.blocks:
        found += _block(block)
    texts = list(strings(drawn))
    if sum(size(t) for t in texts[1:]) > ALL_TEXT:
        found.append("all blocks together too long")
    for text in texts:
        found += _markup(text)
    return found


def size(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def calls(text: str) -> set[str]:
    return {user or group for user, group in _CALLS.findall(text)}


def strings(node: Any) -> Iterator[str]:
    """Every text, the fallback first."""
    if isinstance(node, Drawn):
        yield node.text
        yield from strings(list(node.blocks))
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in ("text", "accessibility_label") and isinstance(value, str):
                yield value
            else:
                yield from strings(value)
    elif isinstance(node, list):
        for item in node:
            yield from strings(item)


def elements(drawn: Drawn) -> dict[str, dict[str, Any]]:
    """The buttons, by their `action_id`."""
    rows = [b["elements"] for b in drawn.blocks if b["type"] == "actions"]
    return {e["action_id"]: e for row in rows for e in row}


def reading(drawn: Drawn) -> str:
    """The message as a person would read it out."""
    lines = []
    for block in drawn.blocks:
        match block["type"]:
            case "header":
                lines.append(f"# {block['text']['text']}")
            case "section":
                beside = block.get("accessory")
                pressed = f"\n[{beside['text']['text']}]" if beside else ""
                lines.append(f"{block['text']['text']}{pressed}")
            case "context":
                lines += [f"({e['text']})" for e in block["elements"]]
            case "actions":
                lines.append(" ".join(f"[{e['text']['text']}]" for e in block["elements"]))
    return "\n---\n".join(wrapped(x) for x in lines)


def wrapped(text: str) -> str:
    """As on a narrow screen, with dates as UTC readers see them."""
    seen = re.sub(r"<!date\^[^|]*\|\d{4}-\d\d-\d\d (\d\d:\d\d) UTC>", r"⟨\1⟩", text)
    return "\n".join("\n".join(textwrap.wrap(x, 82)) or "" for x in seen.split("\n"))


def _markup(text: str) -> list[str]:
    """Only our own marks may stand in angle brackets, and no entity may be cut in two."""
    bare = _OURS.sub("", text)
    found = [f"foreign mark in {text[:80]!r}"] if "<" in bare or ">" in bare else []
    if text.count("```") % 2:
        found.append(f"a block of code without an end in {text[-80:]!r}")
    if "&" in _ENTITY.sub("", bare):
        found.append(f"bare ampersand or half an entity in {text[-80:]!r}")
    if re.search(r"[\ud800-\udfff]", text):
        found.append("half a surrogate pair")
    return found


def _block(block: dict[str, Any]) -> list[str]:
    kind = block["type"]
    if kind == "header":
        return _text(block["text"], 150, kind)
    if kind == "section":
        return _text(block["text"], 3_000, kind)
    if kind == "context":
        over = ["context too wide"] if not 1 <= len(block["elements"]) <= 10 else []
        return over + [p for e in block["elements"] for p in _text(e, 3_000, kind)]
    if kind == "actions":
        over = ["too many buttons"] if not 1 <= len(block["elements"]) <= 25 else []
        return over + [p for e in block["elements"] for p in _button(e)]
    return [f"unknown block {kind}"]


def _button(element: dict[str, Any]) -> list[str]:
    found = _text(element["text"], 75, "button")
    for key, most in (("value", 2_000), ("action_id", 255), ("accessibility_label", 75)):
        if not 1 <= size(element[key]) <= most:
            found.append(f"button {key} of {size(element[key])}")
    if "confirm" in element:
        confirm = element["confirm"]
        found += _text(confirm["title"], 100, "confirm title")
        found += _text(confirm["text"], 300, "confirm text")
        found += _text(confirm["confirm"], 30, "confirm yes")
        found += _text(confirm["deny"], 30, "confirm no")
    return found


def _text(node: dict[str, Any], most: int, where: str) -> list[str]:
    length = size(node["text"])
    found = [] if 1 <= length <= most else [f"{where}: {length} of {most} characters"]
    if node["type"] == "mrkdwn" and node.get("verbatim") is not True:
        found.append(f"{where}: Slack may make links and mentions of its own")
    return found
