"""Slack's limits for messages and modals, and the words it refuses with.

Figures: Slack docs, Block Kit reference (blocks, block elements, composition objects), modals.
Lengths are counted in characters of the text as sent (assumption: code points).
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from .block_elements import check_element
from .block_texts import Problems, check_id, check_keys, check_text, is_list
from .records import Json, texts_in

MESSAGE_BLOCKS = 50
MODAL_BLOCKS = 100
POST_TEXT = 40_000
UPDATE_TEXT = 4_000
VIEW_BYTES = 250_000

#: Slack has a limit for all blocks of a message together and publishes no figure
#: (`msg_blocks_too_long`). About 13,200 characters of text are reported by others: an assumption,
#: taken as the most that passes.
MESSAGE_BLOCKS_TEXT = 13_200

_CONTEXT_TEXT = 3_000

_BLOCK_KEYS = {
    "section": {"text", "fields", "accessory", "expand"},
    "header": {"text"},
    "context": {"elements"},
    "actions": {"elements"},
    "divider": set(),
    "image": {"image_url", "alt_text", "title", "slack_file"},
    "input": {"label", "element", "hint", "optional", "dispatch_action"},
    "rich_text": {"elements"},
}


def check_blocks(blocks: Any, *, most: int = MESSAGE_BLOCKS, at: str = "/blocks") -> list[str]:
    """What is wrong with these blocks, in Slack's words with a JSON pointer; empty when fine."""
    problems = Problems()
    if not is_list(blocks, 0, most, at, problems):
        return problems.found
    for number, block in enumerate(blocks):
        _check_block(block, f"{at}/{number}", problems)
    ids = [b.get("block_id") for b in blocks if isinstance(b, dict) and b.get("block_id")]
    for block_id, count in Counter(map(str, ids)).items():
        if count > 1:
            problems.add(f"`block_id` {json.dumps(block_id)} already exists for another block", at)
    return problems.found


def check_view(view: Any) -> list[str]:
    """What is wrong with a modal, in Slack's words; empty when fine."""
    problems = Problems()
    if not isinstance(view, dict) or view.get("type") != "modal":
        problems.add("unsupported type: only modal views are known here", "/view/type")
        return problems.found
    check_text(view.get("title"), 24, "/view/title", problems, plain=True)
    for name in ("submit", "close"):
        if view.get(name) is not None:
            check_text(view[name], 24, f"/view/{name}", problems, plain=True)
    for name, most in (("private_metadata", 3000), ("callback_id", 255), ("external_id", 255)):
        if len(str(view.get(name) or "")) > most:
            problems.add(f"must be less than {most + 1} characters", f"/view/{name}")
    blocks = view.get("blocks")
    problems.found += check_blocks(blocks, most=MODAL_BLOCKS, at="/view/blocks")
    if isinstance(blocks, list) and view.get("submit") is None:
        types = [block.get("type") for block in blocks if isinstance(block, dict)]
        if "input" in types:
            problems.add("missing required field: submit", "/view")
    return problems.found


def check_home(view: Any) -> list[str]:
    """The same for a home tab, which has blocks alone."""
    problems = Problems()
    if not isinstance(view, dict) or view.get("type") != "home":
        problems.add("unsupported type: only home views can be published", "/view/type")
        return problems.found
    problems.found += check_blocks(view.get("blocks"), most=MODAL_BLOCKS, at="/view/blocks")
    for name in ("title", "submit", "close"):
        if name in view:
            problems.add(f"no more than the blocks: {name}", "/view")
    return problems.found


def blocks_too_long(blocks: list[Json]) -> bool:
    """Whether all texts together are more than a message may hold."""
    return sum(map(len, texts_in(blocks))) > MESSAGE_BLOCKS_TEXT


def view_too_large(view: Json) -> bool:
    """More than 250 kB (Slack docs, views.open)."""
    return len(json.dumps(view, ensure_ascii=False).encode()) > VIEW_BYTES


def _check_block(block: Any, at: str, problems: Problems) -> None:
    if not isinstance(block, dict) or block.get("type") not in _BLOCK_KEYS:
        kind = block.get("type") if isinstance(block, dict) else block
        problems.add(f"unsupported type: {kind}", at)
        return
    check_keys(block, {"type", "block_id"} | _BLOCK_KEYS[block["type"]], at, problems)
    check_id(block, "block_id", at, problems)
    kind = block["type"]
    if kind == "section":
        _check_section(block, at, problems)
    elif kind == "header":
        check_text(block.get("text"), 150, f"{at}/text", problems, plain=True)
    elif kind == "context":
        _check_context(block, at, problems)
    elif kind == "actions":
        _check_actions(block, at, problems)
    elif kind == "image":
        check_element({**block, "type": "image"}, at, problems, where="block")
    elif kind == "input":
        _check_input(block, at, problems)


def _check_section(block: Json, at: str, problems: Problems) -> None:
    if block.get("text") is None and block.get("fields") is None:
        problems.add("missing required field: text", at)
    if block.get("text") is not None:
        check_text(block["text"], 3000, f"{at}/text", problems)
    fields = block.get("fields")
    if fields is not None and is_list(fields, 1, 10, f"{at}/fields", problems):
        for number, text in enumerate(fields):
            check_text(text, 2000, f"{at}/fields/{number}", problems)
    if block.get("accessory") is not None:
        check_element(block["accessory"], f"{at}/accessory", problems, where="section")


def _check_context(block: Json, at: str, problems: Problems) -> None:
    elements = block.get("elements")
    if not is_list(elements, 1, 10, f"{at}/elements", problems):
        return
    for number, element in enumerate(elements):
        where = f"{at}/elements/{number}"
        if isinstance(element, dict) and element.get("type") == "image":
            check_element(element, where, problems, where="context")
        else:
            check_text(element, _CONTEXT_TEXT, where, problems)


def _check_actions(block: Json, at: str, problems: Problems) -> None:
    elements = block.get("elements")
    if not is_list(elements, 1, 25, f"{at}/elements", problems):
        return
    for number, element in enumerate(elements):
        check_element(element, f"{at}/elements/{number}", problems, where="actions")
    ids = [e.get("action_id") for e in elements if isinstance(e, dict) and e.get("action_id")]
    for action_id, count in Counter(map(str, ids)).items():
        if count > 1:
            name = json.dumps(action_id)
            problems.add(f"`action_id` {name} already exists for another element", at)


def _check_input(block: Json, at: str, problems: Problems) -> None:
    check_text(block.get("label"), 2000, f"{at}/label", problems, plain=True)
    if block.get("hint") is not None:
        check_text(block["hint"], 2000, f"{at}/hint", problems, plain=True)
    check_element(block.get("element"), f"{at}/element", problems, where="input")
