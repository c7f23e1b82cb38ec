"""Modals and the Home tab: `views.open`, `views.update`, `views.publish` (Slack docs, one page
each), and what people fill in, as `view.state.values` has it.

One modal for each person: what lies on top of another (`views.push`) is not played here.
"""

from __future__ import annotations

import copy
from typing import Any

from .block_limits import check_home, check_view, view_too_large
from .records import Json, SlackError, View, elements_in, invalid, required
from .workspace import Workspace

TRIGGER_SECONDS = 3.0

#: Single choices among options, and pickers with the key of their value.
_ONE = {"static_select", "external_select", "radio_buttons"}
_PICKED = {"datepicker": "selected_date", "timepicker": "selected_time"}


class CannotDo(Exception):
    """A person at a real Slack could not do this: no such button, a required input left empty."""


def open_view(ws: Workspace, args: Json) -> Json:
    """Opens a modal for whoever the trigger belongs to; it takes the place of an open one.

    A trigger is good for three seconds, once. The names of the errors are those of the docs.
    """
    definition = _checked(args, check_view)
    (trigger_id,) = required(args, "trigger_id")
    trigger = ws.triggers.get(trigger_id)
    if trigger is None:
        raise SlackError("invalid_trigger_id")
    if trigger.used:
        raise SlackError("exchanged_trigger_id")
    if ws.clock() - trigger.made_at > TRIGGER_SECONDS:
        raise SlackError("expired_trigger_id")
    trigger.used = True
    view = View(ws.new_id("V"), trigger.user, definition, hash="")
    _replace(ws, view, definition)
    ws.views[trigger.user] = view
    return {"view": view_json(ws, view)}


def update(ws: Workspace, args: Json) -> Json:
    """Changes an open modal, named by `view_id`; `hash` guards against races."""
    definition = _checked(args, check_view)
    view = next((view for view in ws.views.values() if view.id == args.get("view_id")), None)
    if view is None:
        raise SlackError("not_found")
    if args.get("hash") not in (None, "", view.hash):
        raise SlackError("hash_conflict")
    _replace(ws, view, definition)
    return {"view": view_json(ws, view)}


def publish(ws: Workspace, args: Json) -> Json:
    """The Home tab of one person."""
    user, definition = args.get("user_id"), _checked(args, check_home)
    if user not in ws.people:
        raise SlackError("user_not_found")
    ws.homes[str(user)] = copy.deepcopy(definition)
    return {"view": {**copy.deepcopy(definition), "id": ws.new_id("V"), "hash": str(ws.number())}}


def view_json(ws: Workspace, view: View) -> Json:
    """A view as it stands in answers and payloads, with what is typed in so far."""
    definition = copy.deepcopy(view.definition)
    for name in ("private_metadata", "callback_id"):
        definition[name] = definition.get(name) or ""
    for name in ("submit", "close"):
        definition.setdefault(name, None)
    return {
        "clear_on_close": False,
        "notify_on_close": False,
        **definition,
        "id": view.id,
        "team_id": ws.team_id,
        "state": {"values": _state_of(view)},
        "hash": view.hash,
        "root_view_id": view.id,
        "previous_view_id": None,
        "app_id": ws.app_id,
        "app_installed_team_id": ws.team_id,
        "bot_id": ws.bot_id,
    }


def answered(ws: Workspace, view: View, text: str, body: Json) -> str | None:
    """Does what the answer to a submission says: closes, or shows errors. Returns what is wrong
    with it (Slack docs, modals); the modal stays open then."""
    if ws.views.get(view.user) is not view:
        return None
    view.errors = {}
    if not text.strip():
        del ws.views[view.user]
        return None
    if body.get("response_action") != "errors":
        return f"an answer to a submission that is not played here: {text[:80]!r}"
    errors = body.get("errors")
    if not isinstance(errors, dict) or not errors:
        return "errors must name at least one block"
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    strange = sorted(set(errors) - inputs)
    if strange:
        return f"errors for blocks that are no inputs: {strange}"
    view.errors = {key: str(words) for key, words in errors.items()}
    return None


def value_of(element: Json, raw: Any) -> Json | None:
    """The raw value (text, option, date) in Slack's form; None for a button."""
    kind = element["type"]
    if kind == "plain_text_input":
        return {"type": kind, "value": raw}
    if kind in _ONE:
        return {"type": kind, "selected_option": raw}
    if kind in _PICKED:
        return {"type": kind, _PICKED[kind]: raw}
    return None


def fill(view: View, values: Json, *, force: bool, complete: bool = True) -> None:
    """Puts values into the modal. Raises CannotDo for what the form would not take; `complete`
    False does not mind inputs that are still empty.

    Values by block id: a string for text, an option's `value` for a select, `2026-12-03` or `22:00`
    for a picker.
    """
    for block_id, value in values.items():
        _, element = element_in(view, block_id)
        view.chosen[block_id] = _chosen(view, block_id, element, value, force=force)
    if complete and not force:
        _check_complete(view)


def element_in(view: View, block_id: str) -> tuple[Json, Json]:
    """The block with its element. Raises CannotDo."""
    block = view.block(block_id)
    for found in elements_in([block] if block else []):
        return found
    raise CannotDo(f"no block {block_id!r} to fill in the modal {view.title!r}")


def _checked(args: Json, check: Any) -> Json:
    """Raises SlackError `invalid_arguments` with what is wrong, or `view_too_large`."""
    view = args.get("view")
    if not isinstance(view, dict):
        raise invalid("invalid_arguments", ["missing required field: view"])
    problems = check(view)
    if problems:
        raise invalid("invalid_arguments", problems)
    if view_too_large(view):
        raise SlackError("view_too_large")
    return view


def _replace(ws: Workspace, view: View, definition: Json) -> None:
    """The same view with new content. What was typed stays where block and action ids stay."""
    view.definition = {**copy.deepcopy(definition), "blocks": ws.with_ids(definition["blocks"])}
    view.hash = f"{int(ws.clock())}.{ws.number():08x}"
    view.errors = {}
    kept = {block["block_id"] for block in view.blocks}
    view.chosen = {key: value for key, value in view.chosen.items() if key in kept}


def _state_of(view: View) -> Json:
    """`state.values`: by block id, then action id, each value typed by its element."""
    values: Json = {}
    for block, element in elements_in(view.blocks):
        typed = value_of(element, view.chosen.get(block["block_id"], _initial(element)))
        if typed is not None:
            values.setdefault(block["block_id"], {})[element["action_id"]] = typed
    return values


def _chosen(view: View, block_id: str, element: Json, value: Any, *, force: bool) -> Any:
    kind = element["type"]
    if value is None or kind in _PICKED or kind == "plain_text_input":
        return value
    options = [*element.get("options", []), *view.options.get(block_id, [])]
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
        name, value = block["block_id"], view.chosen.get(block["block_id"], _initial(element))
        if not value and not block.get("optional"):
            raise CannotDo(f"the input {name!r} is required")
        if element["type"] == "plain_text_input" and value:
            least, most = element.get("min_length", 0), element.get("max_length", 3000)
            if not least <= len(value) <= most:
                raise CannotDo(f"the input {name!r} takes {least} to {most} characters")


def _initial(element: Json) -> Any:
    names = ("value", "option", "options", "date", "time")
    return next((element[f"initial_{n}"] for n in names if f"initial_{n}" in element), None)
