"""What people fill into a modal, as `view.state.values` has it (Slack docs, view payloads)."""

from __future__ import annotations

from typing import Any

from .block_limits import options_of
from .records import Json, View, elements_in

#: Single choices among options, and pickers with the key of their value.
_ONE = {"static_select", "external_select", "radio_buttons"}
_PICKED = {"datepicker": "selected_date", "timepicker": "selected_time"}


class CannotDo(Exception):
    """A person at a real Slack could not do this: no such button, a required input left empty."""


def state_of(view: View) -> Json:
    """`state.values`: by block id, then action id, each value typed by its element."""
    values: Json = {}
    for block, element in elements_in(view.blocks):
        typed = value_of(element, view.chosen.get(block["block_id"], _initial(element)))
        if typed is not None:
            values.setdefault(block["block_id"], {})[element["action_id"]] = typed
    return values


def value_of(element: Json, raw: Any) -> Json | None:
    """The raw value (text, option, list of options, id) in Slack's form; None for a button."""
    kind = element["type"]
    if kind == "plain_text_input":
        return {"type": kind, "value": raw}
    if kind in _ONE:
        return {"type": kind, "selected_option": raw}
    if kind == "checkboxes":
        return {"type": kind, "selected_options": raw or []}
    if kind in _PICKED:
        return {"type": kind, _PICKED[kind]: raw}
    return None


def fill(view: View, values: Json, *, force: bool, complete: bool = True) -> None:
    """Puts values into the modal. Raises CannotDo for what the form would not take; `complete`
    False does not mind inputs that are still empty.

    Values by block id: a string for text, an option's `value` for a select, a list of them for
    checkboxes (True and False for all and none), `2026-12-03` or `22:00` for a picker.
    """
    for block_id, value in values.items():
        block = view.block(block_id)
        if block is None:
            raise CannotDo(f"no block {block_id!r} in the modal {view.title!r}")
        _, element = next(elements_in([block]), (block, None))
        if element is None:
            raise CannotDo(f"nothing to fill in block {block_id!r}")
        view.chosen[block_id] = _chosen(view, block_id, element, value, force=force)
    if complete and not force:
        _check_complete(view)


def _chosen(view: View, block_id: str, element: Json, value: Any, *, force: bool) -> Any:
    kind = element["type"]
    if value is None or kind in _PICKED or kind == "plain_text_input":
        return value
    options = [*options_of(element), *view.options.get(block_id, [])]
    if kind == "checkboxes":
        if isinstance(value, bool):
            return options if value else []
        return [_option(options, one, block_id, force=force) for one in value]
    return _option(options, value, block_id, force=force)


def _option(options: list[Json], value: Any, block_id: str, *, force: bool) -> Json:
    if isinstance(value, dict):
        value = value["value"]
    for option in options:
        if option["value"] == value:
            return option
    if force:
        return {"text": {"type": "plain_text", "text": str(value)}, "value": str(value)}
    offered = [option["value"] for option in options]
    raise CannotDo(f"{value!r} is not offered in block {block_id!r}, only {offered}")


def _check_complete(view: View) -> None:
    """Slack's own client keeps such a form and sends nothing."""
    for block, element in elements_in(view.blocks):
        if block["type"] != "input":
            continue
        value = view.chosen.get(block["block_id"], _initial(element))
        if not value and not block.get("optional"):
            raise CannotDo(f"the input {block['block_id']!r} is required")
        if element["type"] == "plain_text_input" and value:
            least, most = element.get("min_length", 0), element.get("max_length", 3000)
            if not least <= len(value) <= most:
                raise CannotDo(
                    f"the input {block['block_id']!r} takes {least} to {most} characters"
                )


def _initial(element: Json) -> Any:
    for name in ("initial_value", "initial_option", "initial_options"):
        if name in element:
            return element[name]
    for kind, key in _PICKED.items():
        if element["type"] == kind:
            return element.get(key.replace("selected", "initial"))
    return None
