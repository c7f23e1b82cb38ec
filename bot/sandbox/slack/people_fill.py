"""What people do in a modal: choose, search, submit, close."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import payloads, view_methods
from .block_limits import check_suggestions
from .deliver import Delivery
from .errors import SlackError
from .modal_values import CannotDo, fill
from .people_act import PeopleAct
from .records import Json, View, elements_in


class PeopleFill(PeopleAct):
    """Modals. `view` is a View, its id, or None for the one on top of the person's screen."""

    @property
    def views(self) -> dict[str, list[View]]:
        """The open modals of each person who has some, the one on top last."""
        with self.workspace.lock:
            return {user: list(stack) for user, stack in self.workspace.stacks.items() if stack}

    def view_of(self, user: str, view: View | str | None = None) -> View:
        """The modal. Raises CannotDo when it is not open."""
        with self.workspace.lock:
            stack = self.workspace.stacks.get(user, [])
            if view is None and stack:
                return stack[-1]
            wanted = view.id if isinstance(view, View) else view
            for open_view in stack:
                if open_view.id == wanted:
                    return open_view
        raise CannotDo(f"no such modal open for {user}")

    def choose(
        self, user: str, block_id: str, value: Any = None, *, view: View | str | None = None
    ) -> Delivery:
        """Chooses something that tells the bot at once, or presses a button in the modal.

        Raises CannotDo for an input without `dispatch_action`: Slack says nothing then.
        """
        ws = self.workspace
        with ws.changing():
            shown = self.view_of(user, view)
            block, element = _element(shown, block_id)
            if block["type"] == "input" and not block.get("dispatch_action"):
                raise CannotDo(f"the input {block_id!r} does not tell the bot (dispatch_action)")
            if element["type"] != "button":
                fill(shown, {block_id: value}, force=False, complete=False)
            trigger = ws.new_trigger(user, shown.id)
            payload = payloads.view_action_payload(
                ws, ws.people[user], shown, block_id, element, trigger
            )
        return self._send_payload(payload)

    def suggest(
        self, user: str, block_id: str, typed: str, *, view: View | str | None = None
    ) -> Delivery:
        """Types into an external select; the options that come back can be chosen then."""
        ws = self.workspace
        with ws.changing():
            shown = self.view_of(user, view)
            _, element = _element(shown, block_id)
            if element["type"] != "external_select":
                raise CannotDo(f"block {block_id!r} does not search")
            payload = payloads.suggestion_payload(
                ws, ws.people[user], shown, block_id, element, typed
            )
        delivery = self._send_payload(payload)
        options = _suggested(delivery.json)
        with ws.changing():
            problems = check_suggestions(options)
            if delivery.error is None and problems:
                delivery.problem = "; ".join(problems)
            shown.options[block_id] = [] if problems else options
        return delivery

    def submit(
        self,
        user: str,
        view: View | str | None = None,
        values: Json | None = None,
        *,
        force: bool = False,
        **overrides: Any,
    ) -> Delivery:
        """Presses the submit button. Raises CannotDo for what Slack's form would not send
        (a required input left empty, a text too long); `force` sends it.

        The answer does what it says: closes, shows errors, updates, pushes, clears. Without a
        good answer the modal stays open. A delivery's `problem` names an answer that Slack would
        not take.
        """
        ws = self.workspace
        with ws.changing():
            shown = self.view_of(user, view)
            fill(shown, values or {}, force=force)
            trigger = ws.new_trigger(user, shown.id)
            payload = payloads.submission_payload(ws, ws.people[user], shown, trigger)
        delivery = self._send_payload(payloads.with_overrides(payload, overrides))
        if delivery.error is None:
            with ws.changing():
                delivery.problem = self._answered(shown, delivery)
        return delivery

    def close(self, user: str, view: View | str | None = None) -> Delivery | None:
        """Closes one modal; the bot is told only where the view has `notify_on_close`."""
        ws = self.workspace
        with ws.changing():
            shown = self.view_of(user, view)
            payload = payloads.closed_payload(ws, ws.people[user], shown)
            ws.stacks[user].remove(shown)
        if not shown.definition.get("notify_on_close"):
            return None
        return self._send_payload(payload)

    def _answered(self, shown: View, delivery: Delivery) -> str | None:
        """Does what the answer says; returns what is wrong with it (Slack docs, modals)."""
        ws = self.workspace
        stack = ws.stacks.get(shown.user, [])
        if shown not in stack:
            return None
        shown.errors = {}
        if not delivery.text.strip():
            stack.remove(shown)
            return None
        action = delivery.json.get("response_action")
        if action == "errors":
            return _show_errors(shown, delivery.json.get("errors"))
        if action == "clear":
            stack.clear()
            return None
        steps: dict[Any, Callable[[Json], object]] = {
            "update": lambda view: view_methods.replace_view(ws, shown, view),
            "push": lambda view: view_methods.push_view(ws, stack, view),
        }
        if action not in steps:
            return f"unknown answer to a submission: {delivery.text[:80]!r}"
        try:
            steps[action](view_methods.checked_view(delivery.json.get("view")))
        except SlackError as refused:
            return str(refused.body())
        return None


def _show_errors(shown: View, errors: Any) -> str | None:
    if not isinstance(errors, dict) or not errors:
        return "errors must name at least one block"
    inputs = {block["block_id"] for block in shown.blocks if block["type"] == "input"}
    strange = sorted(set(errors) - inputs)
    if strange:
        return f"errors for blocks that are no inputs: {strange}"
    shown.errors = {key: str(words) for key, words in errors.items()}
    return None


def _element(shown: View, block_id: str) -> tuple[Json, Json]:
    block = shown.block(block_id)
    for found in elements_in([block] if block else []):
        return found
    raise CannotDo(f"nothing to choose in block {block_id!r}")


def _suggested(body: Json) -> Any:
    options = body.get("options")
    if options is None:
        options = [o for group in body.get("option_groups") or [] for o in group.get("options", [])]
    return options
