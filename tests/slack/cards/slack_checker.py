"""What Slack would refuse or misread: its limits, and marks that are not ours."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any

from bot.request.messages import Drawn
from sandbox.slack.block_limits import check_blocks

ALL_TEXT = 13_000
_OURS = re.compile(
    r"<@[UW][A-Z0-9]+>|<!subteam\^S[A-Z0-9]+>|<#C[A-Z0-9]+>"
    r"|<https://[\w./-]+\|(?:Open )?[A-Z0-9-]+>"
    r"|<!date\^\d+\^\{date_short_pretty\} \{time\}\|\d{4}-\d\d-\d\d \d\d:\d\d UTC>"
)
_ENTITY = re.compile(r"&(?:amp|lt|gt);")
_CALLS = re.compile(r"<@([UW][A-Z0-9]+)>|<!subteam\^(S[A-Z0-9]+)>")


def problems(drawn: Drawn) -> list[str]:
    """What Slack would refuse or misread; empty when nothing."""
    found: list[str] = []
    if not drawn.text.strip():
        found.append("no fallback text")
    if size(drawn.text) > 4_000:
        found.append("text too long to be edited")
    found += check_blocks(list(drawn.blocks))
    found += [f"Slack may make marks of its own in {text}" for text in _loose(list(drawn.blocks))]
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


def _loose(node: Any) -> list[str]:
    """Texts in Slack's markup that are not `verbatim`."""
    if isinstance(node, list):
        return [text for one in node for text in _loose(one)]
    if not isinstance(node, dict):
        return []
    if node.get("type") == "mrkdwn" and node.get("verbatim") is not True:
        return [node["text"][:80]]
    return _loose(list(node.values()))
