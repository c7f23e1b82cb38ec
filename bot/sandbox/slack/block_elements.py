"""Limits of block elements: buttons, selects, inputs (Slack docs, block elements)."""

from __future__ import annotations

from typing import Any

from .block_texts import Problems, check_id, check_keys, check_string, check_text, is_list
from .records import Json

_SELECTS = {"static_select", "external_select", "multi_static_select", "multi_external_select"}
_PICKERS = {"users_select", "conversations_select", "channels_select", "datepicker"}
_TICKS = {"checkboxes", "radio_buttons"}

#: Which elements may stand where (Slack docs, each block's page).
_ALLOWED = {
    "section": {"button", "image", "overflow"} | _SELECTS | _PICKERS | _TICKS,
    "actions": {"button", "overflow"} | _SELECTS | _PICKERS | _TICKS,
    "input": {"plain_text_input"} | _SELECTS | _PICKERS | _TICKS,
    "context": {"image"},
    "block": {"image"},
}

_KEYS = {
    "button": {"text", "url", "value", "style", "confirm", "accessibility_label"},
    "overflow": {"options", "confirm"},
    "plain_text_input": {
        "placeholder",
        "initial_value",
        "multiline",
        "min_length",
        "max_length",
        "dispatch_action_config",
        "focus_on_load",
    },
}


def check_element(element: Any, at: str, problems: Problems, *, where: str) -> None:
    """One element; `where` is the kind of block it stands in."""
    if not isinstance(element, dict) or element.get("type") not in _ALLOWED[where]:
        kind = element.get("type") if isinstance(element, dict) else element
        problems.add(f"unsupported type: {kind}", at)
        return
    kind = element["type"]
    if kind in _KEYS:
        check_keys(element, {"type", "action_id"} | _KEYS[kind], at, problems)
    check_id(element, "action_id", at, problems)
    if element.get("placeholder") is not None:
        check_text(element["placeholder"], 150, f"{at}/placeholder", problems, plain=True)
    if element.get("confirm") is not None:
        _check_confirm(element["confirm"], f"{at}/confirm", problems)
    if kind == "button":
        _check_button(element, at, problems)
    elif kind == "image":
        check_string(element.get("image_url"), 3000, f"{at}/image_url", problems)
        check_string(element.get("alt_text"), 2000, f"{at}/alt_text", problems)
    elif kind == "plain_text_input":
        _check_text_input(element, at, problems)
    elif kind in _TICKS | {"overflow"}:
        most = 5 if kind == "overflow" else 10
        _check_options(element.get("options"), most, f"{at}/options", problems, mrkdwn=True)
    elif kind.endswith("static_select"):
        _check_static_select(element, at, problems)


def check_suggestions(options: Any) -> list[str]:
    """What is wrong with the options that answer a `block_suggestion`; at most 100."""
    problems = Problems()
    if is_list(options, 0, 100, "/options", problems):
        for number, option in enumerate(options):
            _check_option(option, f"/options/{number}", problems, mrkdwn=False)
    return problems.found


def _check_button(element: Json, at: str, problems: Problems) -> None:
    check_text(element.get("text"), 75, f"{at}/text", problems, plain=True)
    for name, most in (("value", 2000), ("url", 3000), ("accessibility_label", 75)):
        if element.get(name) is not None:
            check_string(element[name], most, f"{at}/{name}", problems)
    if element.get("style") not in (None, "primary", "danger"):
        problems.add("must be one of primary, danger", f"{at}/style")


def _check_confirm(confirm: Any, at: str, problems: Problems) -> None:
    if not isinstance(confirm, dict):
        problems.add("must be an object", at)
        return
    check_keys(confirm, {"title", "text", "confirm", "deny", "style"}, at, problems)
    check_text(confirm.get("title"), 100, f"{at}/title", problems, plain=True)
    check_text(confirm.get("text"), 300, f"{at}/text", problems)
    check_text(confirm.get("confirm"), 30, f"{at}/confirm", problems, plain=True)
    check_text(confirm.get("deny"), 30, f"{at}/deny", problems, plain=True)
    if confirm.get("style") not in (None, "primary", "danger"):
        problems.add("must be one of primary, danger", f"{at}/style")


def _check_text_input(element: Json, at: str, problems: Problems) -> None:
    least, most = element.get("min_length"), element.get("max_length")
    if least is not None and not 0 <= int(least) <= 3000:
        problems.add("must be between 0 and 3000", f"{at}/min_length")
    if most is not None and not 1 <= int(most) <= 3000:
        problems.add("must be between 1 and 3000", f"{at}/max_length")
    if least is not None and most is not None and int(least) > int(most):
        problems.add("must not be more than max_length", f"{at}/min_length")


def _check_static_select(element: Json, at: str, problems: Problems) -> None:
    options, groups = element.get("options"), element.get("option_groups")
    if (options is None) == (groups is None):
        problems.add("exactly one of options and option_groups is required", at)
        return
    if options is not None:
        _check_options(options, 100, f"{at}/options", problems, mrkdwn=False)
    elif is_list(groups, 1, 100, f"{at}/option_groups", problems):
        for number, group in enumerate(groups):
            where = f"{at}/option_groups/{number}"
            if not isinstance(group, dict):
                problems.add("must be an object", where)
                continue
            check_text(group.get("label"), 75, f"{where}/label", problems, plain=True)
            _check_options(group.get("options"), 100, f"{where}/options", problems, mrkdwn=False)
    initial = element.get("initial_option")
    if not problems.found and initial is not None and initial not in options_of(element):
        problems.add("must match one of the options", f"{at}/initial_option")


def options_of(element: Json) -> list[Json]:
    """All options of an element, those in groups included."""
    grouped = [
        option for group in element.get("option_groups") or [] for option in group["options"]
    ]
    return [*(element.get("options") or []), *grouped]


def _check_options(options: Any, most: int, at: str, problems: Problems, *, mrkdwn: bool) -> None:
    if is_list(options, 1, most, at, problems):
        for number, option in enumerate(options):
            _check_option(option, f"{at}/{number}", problems, mrkdwn=mrkdwn)


def _check_option(option: Any, at: str, problems: Problems, *, mrkdwn: bool) -> None:
    if not isinstance(option, dict):
        problems.add("must be an object", at)
        return
    check_text(option.get("text"), 75, f"{at}/text", problems, plain=not mrkdwn)
    check_string(option.get("value"), 150, f"{at}/value", problems)
    if option.get("description") is not None:
        check_text(option["description"], 75, f"{at}/description", problems, plain=not mrkdwn)
