"""`views.open`, `views.update`, `views.push` (Slack docs, one page each, and modals)."""

from __future__ import annotations

import copy
from typing import Any, Literal

from .block_limits import check_home, check_view, view_too_large
from .errors import SlackError, invalid, required
from .modal_values import state_of
from .records import Json, Trigger, View
from .workspace import Workspace

TRIGGER_SECONDS = 3.0

#: The first modal and two more on top of it.
MOST_VIEWS = 3


def open_view(ws: Workspace, args: Json) -> Json:
    """Opens a modal for whoever the trigger belongs to; it takes the place of an open one."""
    definition = checked_view(args.get("view"))
    trigger = _take_trigger(ws, args)
    _need_new_external_id(ws, definition)
    view = _new_view(ws, trigger.user, definition, below=None)
    ws.stacks[trigger.user] = [view]
    return {"view": view_json(ws, view)}


def push(ws: Workspace, args: Json) -> Json:
    """Puts a modal on top; the trigger has to come from within the open one."""
    definition = checked_view(args.get("view"))
    trigger = _take_trigger(ws, args)
    stack = ws.stacks.get(trigger.user, [])
    if not stack or trigger.view_id is None:
        raise SlackError("not_found")
    view = push_view(ws, stack, definition)
    return {"view": view_json(ws, view)}


def update(ws: Workspace, args: Json) -> Json:
    """Changes an open modal, named by `view_id` or `external_id`; `hash` guards against races."""
    definition = checked_view(args.get("view"))
    view = _find(ws, args)
    if args.get("hash") not in (None, "", view.hash):
        raise SlackError("hash_conflict")
    replace_view(ws, view, definition)
    return {"view": view_json(ws, view)}


def publish(ws: Workspace, args: Json) -> Json:
    """The home tab of one person (Slack docs, views.publish)."""
    user, definition = args.get("user_id"), checked_view(args.get("view"), "home")
    if user not in ws.people:
        raise SlackError("user_not_found")
    ws.homes[str(user)] = copy.deepcopy(definition)
    return {"view": {**copy.deepcopy(definition), "id": ws.new_id("V"), "hash": str(ws.number())}}


def checked_view(view: Any, kind: Literal["modal", "home"] = "modal") -> Json:
    """Raises SlackError `invalid_arguments` with what is wrong, or `view_too_large`."""
    if not isinstance(view, dict):
        raise invalid("invalid_arguments", ["missing required field: view"])
    problems = check_view(view) if kind == "modal" else check_home(view)
    if problems:
        raise invalid("invalid_arguments", problems)
    if view_too_large(view):
        raise SlackError("view_too_large")
    return view


def push_view(ws: Workspace, stack: list[View], definition: Json) -> View:
    """Raises SlackError `push_limit_reached` at the fourth."""
    if len(stack) >= MOST_VIEWS:
        raise SlackError("push_limit_reached")
    view = _new_view(ws, stack[-1].user, definition, below=stack[-1])
    stack.append(view)
    return view


def replace_view(ws: Workspace, view: View, definition: Json) -> None:
    """The same view with new content. What was typed stays where block and action ids stay."""
    view.definition = {**copy.deepcopy(definition), "blocks": ws.with_ids(definition["blocks"])}
    view.hash = f"{int(ws.clock())}.{ws.number():08x}"
    view.errors = {}
    kept = {block["block_id"] for block in view.blocks}
    view.chosen = {key: value for key, value in view.chosen.items() if key in kept}


def view_json(ws: Workspace, view: View) -> Json:
    """A view as it stands in answers and payloads, with what is typed in so far."""
    definition = copy.deepcopy(view.definition)
    for name in ("private_metadata", "callback_id", "external_id"):
        definition[name] = definition.get(name) or ""
    for name in ("submit", "close"):
        definition.setdefault(name, None)
    return {
        "clear_on_close": False,
        "notify_on_close": False,
        **definition,
        "id": view.id,
        "team_id": ws.team_id,
        "state": {"values": state_of(view)},
        "hash": view.hash,
        "root_view_id": view.root_id,
        "previous_view_id": view.previous_id,
        "app_id": ws.app_id,
        "app_installed_team_id": ws.team_id,
        "bot_id": ws.bot_id,
    }


def _new_view(ws: Workspace, user: str, definition: Json, below: View | None) -> View:
    view_id = ws.new_id("V")
    view = View(
        id=view_id,
        user=user,
        root_id=below.root_id if below else view_id,
        previous_id=below.id if below else None,
        definition=definition,
        hash="",
    )
    replace_view(ws, view, definition)
    return view


def _take_trigger(ws: Workspace, args: Json) -> Trigger:
    """Three seconds, once. The names of the errors are those of the docs, views.open."""
    (trigger_id,) = required(args, "trigger_id")
    trigger = ws.triggers.get(trigger_id)
    if trigger is None:
        raise SlackError("invalid_trigger_id")
    if trigger.used:
        raise SlackError("exchanged_trigger_id")
    if ws.clock() - trigger.made_at > TRIGGER_SECONDS:
        raise SlackError("expired_trigger_id")
    trigger.used = True
    return trigger


def _need_new_external_id(ws: Workspace, definition: Json) -> None:
    external_id = definition.get("external_id")
    for stack in ws.stacks.values():
        if external_id and any(v.definition.get("external_id") == external_id for v in stack):
            raise SlackError("duplicate_external_id")


def _find(ws: Workspace, args: Json) -> View:
    view = ws.view(str(args.get("view_id") or ""))
    external_id = args.get("external_id")
    if view is None and external_id:
        for stack in ws.stacks.values():
            for other in stack:
                if other.definition.get("external_id") == external_id:
                    return other
    if view is None:
        raise SlackError("not_found")
    return view
