"""Slack's limits for messages, modals and the Home tab, and the words it refuses with.

Known keys, required ones, lengths and counts are read from `slack_sdk.models`, and its own checks
run last. What the SDK does not hold stands here, from Slack's docs (Block Kit reference, modals).
Kinds of blocks and elements that the bot does not send are refused, though Slack knows more.
Lengths are counted in characters of the text as sent (assumption: code points).
"""

from __future__ import annotations

import inspect
import json
from collections import Counter
from functools import cache
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models import blocks as sdk
from slack_sdk.models.basic_objects import JsonObject
from slack_sdk.models.blocks.basic_components import ButtonStyles
from slack_sdk.models.views import View as SdkView

from .records import Json, texts_in

MESSAGE_BLOCKS = 50
POST_TEXT = 40_000
UPDATE_TEXT = 4_000
VIEW_BYTES = 250_000
SUGGESTIONS = 100

#: Slack has a limit for all blocks of a message together and publishes no figure
#: (`msg_blocks_too_long`). About 13,200 characters of text are reported by others: an assumption,
#: taken as the most that passes.
MESSAGE_BLOCKS_TEXT = 13_200

Model = type[JsonObject]

_BLOCKS: dict[str, Model] = {
    "actions": sdk.ActionsBlock,
    "context": sdk.ContextBlock,
    "divider": sdk.DividerBlock,
    "header": sdk.HeaderBlock,
    "input": sdk.InputBlock,
    "section": sdk.SectionBlock,
}
_CHOICES: dict[str, Model] = {
    "checkboxes": sdk.CheckboxesElement,
    "datepicker": sdk.DatePickerElement,
    "external_select": sdk.ExternalDataSelectElement,
    "radio_buttons": sdk.RadioButtonsElement,
    "static_select": sdk.StaticSelectElement,
    "timepicker": sdk.TimePickerElement,
}
_BUTTON: dict[str, Model] = {"button": sdk.ButtonElement}
#: Which elements may stand where (Slack docs, each block's page).
_ELEMENTS: dict[Model, dict[str, Model]] = {
    sdk.ActionsBlock: _BUTTON | _CHOICES,
    sdk.InputBlock: {"plain_text_input": sdk.PlainTextInputElement} | _CHOICES,
    sdk.SectionBlock: _BUTTON | _CHOICES,
}
_TICKS = (sdk.CheckboxesElement, sdk.RadioButtonsElement)

_TEXTS = {"confirm", "deny", "description", "hint", "label", "placeholder", "text", "title"}

#: The figures that Slack's docs have and the SDK has not.
_MORE_FIGURES: dict[tuple[Model, str], int] = {
    (sdk.ButtonElement, "accessibility_label"): 75,
    (sdk.CheckboxesElement, "options"): 10,
    (sdk.ContextBlock, "text"): 3000,
    (sdk.Option, "description"): 75,
    (sdk.Option, "text"): sdk.Option.label_max_length,
    (sdk.RadioButtonsElement, "options"): 10,
    (sdk.SectionBlock, "field"): 2000,
}
#: What the SDK fills in where it is missing, and Slack does not.
_REQUIRED: dict[Model, set[str]] = {
    sdk.ConfirmObject: {"confirm", "deny"},
    sdk.HeaderBlock: {"text"},
    sdk.Option: {"text"},
    sdk.OptionGroup: {"label"},
    **{tick: {"options"} for tick in _TICKS},
}
#: For agents, or of older dialogs: Slack takes them in other places than ours.
_NOT_HERE = {"agent_prompt", "agent_prompt_display", "visible_to_user_ids", "others", "self"}


def check_blocks(blocks: Any, *, most: int = MESSAGE_BLOCKS, at: str = "/blocks") -> list[str]:
    """What is wrong with these blocks, in Slack's words with a JSON pointer; empty when fine."""
    reader = _Reader()
    listed = reader.many(blocks, 0, most, at)
    for number, block in enumerate(listed):
        reader.typed(block, _BLOCKS, f"{at}/{number}")
    reader.unique("block_id", listed, "block", at)
    if not reader.found:
        reader.sdk_agrees(listed, at)
    return reader.found


def check_view(view: Any) -> list[str]:
    """What is wrong with a modal, in Slack's words; empty when fine."""
    reader = _Reader()
    if not isinstance(view, dict) or view.get("type") != "modal":
        reader.add("unsupported type: only modal views are known here", "/view/type")
        return reader.found
    reader.text(view.get("title"), _most(SdkView, "title"), "/view/title", plain=True)
    for name in ("submit", "close"):
        if view.get(name) is not None:
            reader.text(view[name], _most(SdkView, name), f"/view/{name}", plain=True)
    if "external_id" in view:
        reader.add("not played here: external_id", "/view/external_id")
    for name in ("private_metadata", "callback_id"):
        if view.get(name):
            reader.string(view[name], _most(SdkView, name), f"/view/{name}")
    most = _most(SdkView, "blocks")
    reader.found += check_blocks(view.get("blocks"), most=most, at="/view/blocks")
    inputs = [] if reader.found else [b for b in view["blocks"] if b["type"] == "input"]
    if inputs and view.get("submit") is None:
        reader.add("missing required field: submit", "/view")
    return reader.found


def check_home(view: Any) -> list[str]:
    """The same for a Home tab, which has blocks alone."""
    if not isinstance(view, dict) or view.get("type") != "home":
        return ["unsupported type: only home views can be published [json-pointer:/view/type]"]
    more = [name for name in ("title", "submit", "close") if name in view]
    found = [f"no more than the blocks: {name} [json-pointer:/view]" for name in more]
    most = _most(SdkView, "blocks")
    return check_blocks(view.get("blocks"), most=most, at="/view/blocks") + found


def check_suggestions(options: Any) -> list[str]:
    """What is wrong with the options that answer a `block_suggestion`."""
    reader = _Reader()
    reader.options(options, 0, SUGGESTIONS, "/options")
    return reader.found


def blocks_too_long(blocks: list[Json]) -> bool:
    """Whether all texts together are more than a message may hold."""
    return sum(map(len, texts_in(blocks))) > MESSAGE_BLOCKS_TEXT


def view_too_large(view: Json) -> bool:
    """More than 250 kB (Slack docs, views.open)."""
    return len(json.dumps(view, ensure_ascii=False).encode()) > VIEW_BYTES


def options_of(element: Json) -> list[Json]:
    """All options of an element, those in groups included."""
    groups = element.get("option_groups") or []
    return [*(element.get("options") or []), *(one for g in groups for one in g["options"])]


def _most(model: Model, key: str) -> int:
    return _MORE_FIGURES.get((model, key)) or int(getattr(model, f"{key}_max_length"))


@cache
def _keys(model: Model) -> tuple[frozenset[str], frozenset[str]]:
    """(known, required)."""
    arguments = inspect.signature(model.__init__).parameters.items()
    needed = {name for name, one in arguments if one.default is inspect.Parameter.empty}
    known = {name for name, _ in arguments} | {"type"}
    needed |= _REQUIRED.get(model, set())
    return frozenset(known - _NOT_HERE), frozenset(needed - _NOT_HERE)


class _Reader:
    """Goes through one payload; `found` is what is wrong, with the JSON pointer to the place."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, words: str, at: str) -> None:
        self.found.append(f"{words} [json-pointer:{at}]")

    def typed(self, node: Any, models: dict[str, Model], at: str) -> None:
        """A block or an element: its `type` says which model it has to fit."""
        kind = str(node.get("type") if isinstance(node, dict) else node)
        if not isinstance(node, dict) or kind not in models:
            self.add(f"unsupported type: {kind}", at)
        else:
            self.node(node, models[kind], at)

    def node(self, node: Any, model: Model, at: str, *, mrkdwn: bool = False) -> None:
        """`mrkdwn`: allowed in texts that are `plain_text` elsewhere."""
        if not isinstance(node, dict):
            self.add("must be an object", at)
            return
        known, needed = _keys(model)
        for key in sorted(set(node) - known):
            self.add(f"invalid additional property: {key}", at)
        for key in sorted(key for key in needed if node.get(key) is None):
            self.add(f"missing required field: {key}", at)
        for key in sorted(key for key in known if node.get(key) is not None):
            self._field(node, model, key, f"{at}/{key}", mrkdwn=mrkdwn)
        initial = node.get("initial_option") if "options" in known and not self.found else None
        if initial is not None and initial not in options_of(node):
            self.add("must match one of the options", f"{at}/initial_option")

    def _field(self, node: Json, model: Model, key: str, at: str, *, mrkdwn: bool) -> None:
        value = node[key]
        if key == "confirm" and model is not sdk.ConfirmObject:
            self.node(value, sdk.ConfirmObject, at)
        elif key in _TEXTS:
            mrkdwn |= key == "text" and model in (sdk.SectionBlock, sdk.ConfirmObject)
            self.text(value, _most(model, key), at, plain=not mrkdwn)
        elif key == "fields":
            for number, text in enumerate(self.many(value, 1, _most(model, key), at)):
                self.text(text, _most(model, "field"), f"{at}/{number}")
        elif key == "elements":
            self._elements(value, model, at)
        elif key in ("accessory", "element"):
            self.typed(value, _ELEMENTS[model], at)
        elif key == "options":
            self.options(value, 1, _most(model, key), at, mrkdwn=model in _TICKS)
        elif key == "option_groups":
            for number, group in enumerate(self.many(value, 1, _most(model, key), at)):
                self.node(group, sdk.OptionGroup, f"{at}/{number}")
        elif key in ("action_id", "block_id", "value", "url", "accessibility_label"):
            self.string(value, _most(model, key), at)
        elif key == "style" and value not in sorted(ButtonStyles):
            self.add(f"must be one of {', '.join(sorted(ButtonStyles))}", at)
        elif key in ("min_length", "max_length"):
            least, most = (0, node.get("max_length") or 3000) if key == "min_length" else (1, 3000)
            if not (isinstance(value, int) and least <= value <= int(most)):
                self.add(f"must be between {least} and {most}", at)

    def _elements(self, value: Any, model: Model, at: str) -> None:
        elements = self.many(value, 1, _most(model, "elements"), at)
        for number, element in enumerate(elements):
            if model is sdk.ContextBlock:
                self.text(element, _most(model, "text"), f"{at}/{number}")
            else:
                self.typed(element, _ELEMENTS[model], f"{at}/{number}")
        self.unique("action_id", elements, "element", at.removesuffix("/elements"))

    def options(self, value: Any, least: int, most: int, at: str, *, mrkdwn: bool = False) -> None:
        for number, option in enumerate(self.many(value, least, most, at)):
            self.node(option, sdk.Option, f"{at}/{number}", mrkdwn=mrkdwn)

    def text(self, text: Any, most: int, at: str, *, plain: bool = False) -> None:
        """A text object: 1 to `most` characters, `plain_text` where Slack wants that."""
        models: dict[str, Model] = {
            "plain_text": sdk.PlainTextObject,
            "mrkdwn": sdk.MarkdownTextObject,
        }
        if plain:
            del models["mrkdwn"]
        if not isinstance(text, dict):
            self.add("missing required field: text", at)
        elif str(text.get("type")) not in models:
            self.add(f"must be one of {', '.join(models)}", f"{at}/type")
        else:
            for key in sorted(set(text) - _keys(models[text["type"]])[0]):
                self.add(f"invalid additional property: {key}", at)
            self.string(text.get("text"), most, f"{at}/text")

    def string(self, value: Any, most: int, at: str) -> None:
        """A string of 1 to `most` characters."""
        if not isinstance(value, str):
            self.add("must be a string", at)
        elif not value:
            self.add("must be more than 0 characters", at)
        elif len(value) > most:
            self.add(f"must be less than {most + 1} characters", at)

    def many(self, value: Any, least: int, most: int, at: str) -> list[Any]:
        """The list, or an empty one when it is none or out of bounds, which is noted."""
        if not isinstance(value, list):
            self.add("must be an array", at)
        elif len(value) < least:
            self.add(f"no less than {least} items allowed", at)
        elif len(value) > most:
            self.add(f"no more than {most} items allowed", at)
        else:
            return value
        return []

    def unique(self, name: str, nodes: list[Any], what: str, at: str) -> None:
        ids = [str(node[name]) for node in nodes if isinstance(node, dict) and node.get(name)]
        for one, count in Counter(ids).items():
            if count > 1:
                self.add(f"`{name}` {json.dumps(one)} already exists for another {what}", at)

    def sdk_agrees(self, blocks: list[Json], at: str) -> None:
        """What only the SDK checks, such as options and groups at once."""
        for number, block in enumerate(blocks):
            try:
                parsed = sdk.Block.parse(block)
                if parsed is not None:
                    parsed.to_dict()
            except SlackObjectFormationError as error:
                self.add(str(error), f"{at}/{number}")
