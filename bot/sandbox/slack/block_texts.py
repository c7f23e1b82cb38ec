"""Checks shared by blocks and elements: text objects, ids, lists, unknown keys."""

from __future__ import annotations

from typing import Any, TypeGuard

from .records import Json


class Problems:
    """What was found wrong, each with the JSON pointer to the place."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, words: str, at: str) -> None:
        self.found.append(f"{words} [json-pointer:{at}]")


def check_text(text: Any, most: int, at: str, problems: Problems, *, plain: bool = False) -> None:
    """A text object: 1 to `most` characters, `plain_text` where Slack wants that."""
    if not isinstance(text, dict):
        problems.add("missing required field: text", at)
        return
    allowed = ("plain_text",) if plain else ("plain_text", "mrkdwn")
    kind = text.get("type")
    if kind not in allowed:
        problems.add(f"must be one of {', '.join(allowed)}", f"{at}/type")
        return
    check_keys(
        text, {"type", "text", "emoji" if kind == "plain_text" else "verbatim"}, at, problems
    )
    check_string(text.get("text"), most, f"{at}/text", problems)


def check_string(value: Any, most: int, at: str, problems: Problems) -> None:
    """A string of 1 to `most` characters."""
    if not isinstance(value, str):
        problems.add("must be a string", at)
    elif not value:
        problems.add("must be more than 0 characters", at)
    elif len(value) > most:
        problems.add(f"must be less than {most + 1} characters", at)


def check_id(node: Json, name: str, at: str, problems: Problems) -> None:
    """`block_id` or `action_id`: optional, 255 characters."""
    if node.get(name) is not None:
        check_string(node[name], 255, f"{at}/{name}", problems)


def check_keys(node: Json, allowed: set[str], at: str, problems: Problems) -> None:
    """Slack refuses keys that it does not know."""
    for key in sorted(set(node) - allowed):
        problems.add(f"invalid additional property: {key}", at)


def is_list(value: Any, least: int, most: int, at: str, problems: Problems) -> TypeGuard[list[Any]]:
    """Whether it is a list within bounds; says what is wrong when it is not."""
    if not isinstance(value, list):
        problems.add("must be an array", at)
        return False
    if len(value) < least:
        problems.add(f"no less than {least} items allowed", at)
        return False
    if len(value) > most:
        problems.add(f"no more than {most} items allowed", at)
        return False
    return True
