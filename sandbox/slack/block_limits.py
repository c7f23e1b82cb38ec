"""Slack's limits for messages, modals and the Home tab.

They are those of `slack_sdk.models`: what its models do not carry from end to end unchanged, Slack
would not take. What the SDK does not hold stands here, from Slack's docs (Block Kit reference,
modals). Kinds that the bot does not send are refused, though Slack knows more.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models import blocks as sdk
from slack_sdk.models.basic_objects import JsonObject
from slack_sdk.models.views import View as SdkView

from .records import Json, elements_in, texts_in

MESSAGE_BLOCKS = 50
POST_TEXT = 40_000
UPDATE_TEXT = 4_000
VIEW_BYTES = 250_000
SUGGESTIONS = 100
FIELD_TEXT, CONTEXT_TEXT, INPUT_TEXT = 2_000, 3_000, 3_000

#: Slack has a limit for all blocks of a message together and publishes no figure
#: (`msg_blocks_too_long`). About 13,200 characters of text are reported by others: an assumption,
#: taken as the most that passes.
MESSAGE_BLOCKS_TEXT = 13_200

_KINDS = {"actions", "context", "divider", "header", "input", "section"}
_CHOICES = {"datepicker", "external_select", "radio_buttons", "static_select", "timepicker"}
_PLACES = {
    "actions": {"button", *_CHOICES},
    "input": {"plain_text_input", *_CHOICES},
    "section": {"button", *_CHOICES},
}
_MOST_OPTIONS = {"radio_buttons": 10}
#: Where a text is `plain_text`, and `mrkdwn` nowhere.
_PLAIN = {
    "header": {"text"},
    "input": {"label", "hint"},
    "button": {"text"},
    "confirm": {"title", "confirm", "deny"},
    **{kind: {"placeholder"} for kind in ("plain_text_input", *_CHOICES)},
}

_WIDE = re.compile("[\U00010000-\U0010ffff]")


def check_blocks(blocks: Any, *, most: int = MESSAGE_BLOCKS, at: str = "/blocks") -> list[str]:
    """What is wrong with these blocks, with a JSON pointer; empty when fine."""
    listed = _list(blocks, 0, most)
    if isinstance(listed, str):
        return [f"{listed} [json-pointer:{at}]"]
    found = [f"{w} [json-pointer:{at}/{n}]" for n, one in enumerate(listed) for w in _block(one)]
    ids = [one["block_id"] for one in listed if isinstance(one, dict) and "block_id" in one]
    return found + [f"{words} [json-pointer:{at}]" for words in _twice("block_id", ids)]


def check_view(view: Any) -> list[str]:
    """What is wrong with a modal; empty when fine."""
    if not isinstance(view, dict) or view.get("type") != "modal":
        return ["unsupported type: only modal views are known here [json-pointer:/view/type]"]
    frame = {key: value for key, value in view.items() if key != "blocks"}
    found = [f"{words} [json-pointer:/view]" for words in _frame(_counted(frame))]
    found += check_blocks(view.get("blocks"), most=SdkView.blocks_max_length, at="/view/blocks")
    inputs = [] if found else [b for b in view["blocks"] if b["type"] == "input"]
    if inputs and view.get("submit") is None:
        found.append("missing required field: submit [json-pointer:/view]")
    return found


def check_home(view: Any) -> list[str]:
    """The same for a Home tab, which has blocks alone."""
    if not isinstance(view, dict) or view.get("type") != "home":
        return ["unsupported type: only home views can be published [json-pointer:/view/type]"]
    more = [name for name in ("title", "submit", "close") if name in view]
    found = [f"no more than the blocks: {name} [json-pointer:/view]" for name in more]
    most = SdkView.blocks_max_length
    return check_blocks(view.get("blocks"), most=most, at="/view/blocks") + found


def check_suggestions(options: Any) -> list[str]:
    """What is wrong with the options that answer a `block_suggestion`."""
    return list(_options("external_select", options, 0))


def blocks_too_long(blocks: list[Json]) -> bool:
    """Whether all texts together are more than a message may hold."""
    return sum(map(len, texts_in(blocks))) > MESSAGE_BLOCKS_TEXT


def view_too_large(view: Json) -> bool:
    """More than 250 kB (Slack docs, views.open)."""
    return len(json.dumps(view, ensure_ascii=False).encode()) > VIEW_BYTES


def _counted(node: Any) -> Any:
    """With two characters for each that UTF-16 takes two for: how Slack counts is not documented,
    and this is the safe side."""
    return json.loads(_WIDE.sub("..", json.dumps(node, ensure_ascii=False)))


def _list(value: Any, least: int, most: int) -> list[Any] | str:
    """The list, or what is wrong with it."""
    if not isinstance(value, list):
        return "must be an array"
    if len(value) < least:
        return f"no less than {least} items allowed"
    return f"no more than {most} items allowed" if len(value) > most else value


def _twice(name: str, ids: list[str]) -> list[str]:
    return [f"`{name}` {json.dumps(i)} already exists" for i, n in Counter(ids).items() if n > 1]


def _carried(model: type[JsonObject], node: Json) -> Iterator[str]:
    """Whether the SDK takes it, and gives it back as it was: it leaves out what it does not know,
    and what is empty."""
    try:
        parse = sdk.Block.parse if model is sdk.Block else lambda one: model(**one)
        made = parse(node)
        if made is None or made.to_dict() != node:
            yield "holds a key, a value or an empty place that is not allowed"
    except (SlackObjectFormationError, AttributeError, KeyError, TypeError) as error:
        yield str(error)


def _frame(frame: Json) -> Iterator[str]:
    if "external_id" in frame:
        yield "not played here: external_id"
    kept = {key: value for key, value in frame.items() if value is not None and value != ""}
    yield from _carried(SdkView, {**kept, "blocks": [{"type": "divider"}]})
    for name in ("title", "submit", "close"):
        yield from _plain(kept.get(name), name)
    if "title" not in kept:
        yield "missing required field: title"


def _block(block: Any) -> Iterator[str]:
    kind = block.get("type") if isinstance(block, dict) else block
    if kind not in _KINDS:
        yield f"unsupported type: {kind}"
        return
    block = _counted(block)
    wrong = list(_carried(sdk.Block, block))
    yield from wrong
    if wrong:
        return
    for name in _PLAIN.get(kind, ()):
        yield from _plain(block.get(name), name)
    for text in block["elements"] if kind == "context" else block.get("fields", []):
        if len(text["text"]) > (CONTEXT_TEXT if kind == "context" else FIELD_TEXT):
            yield "a text is too long"
    elements = [element for _, element in elements_in([block])]
    yield from _twice("action_id", [e["action_id"] for e in elements if "action_id" in e])
    for element in elements:
        if element["type"] not in _PLACES[kind]:
            yield f"unsupported type: {element['type']}"
        yield from _element(element)


def _element(element: Json) -> Iterator[str]:
    kind, confirm = element["type"], element.get("confirm", {})
    for owner, node in ((kind, element), ("confirm", confirm)):
        for name in _PLAIN.get(owner, ()):
            yield from _plain(node.get(name), name)
    if confirm and not {"confirm", "deny"} <= set(confirm):
        yield "missing required field: confirm"
    if kind in ("static_select", "radio_buttons"):
        yield from _options(kind, element.get("options"), 1)
        chosen = element.get("initial_option")
        if chosen is not None and chosen not in element.get("options", ()):
            yield "initial_option must match one of the options"
    most = element.get("max_length", INPUT_TEXT)
    if not (1 <= most <= INPUT_TEXT and 0 <= element.get("min_length", 0) <= most):
        yield f"max_length and min_length must be up to {INPUT_TEXT}"


def _options(kind: str, options: Any, least: int) -> Iterator[str]:
    listed = _list(options, least, _MOST_OPTIONS.get(kind, SUGGESTIONS))
    if isinstance(listed, str):
        yield listed
        return
    for option in map(_counted, listed):
        yield from _carried(sdk.Option, option)
        if kind != "radio_buttons":
            yield from _plain(option.get("text"), "text")


def _plain(text: Any, name: str) -> Iterator[str]:
    if isinstance(text, dict) and text.get("type") != "plain_text":
        yield f"{name} must be one of plain_text"
