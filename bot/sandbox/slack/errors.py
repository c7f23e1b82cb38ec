"""Slack's way to say no."""

from __future__ import annotations

from typing import Any

from .records import Json


class SlackError(Exception):
    """`ok: false` with an error name; `details` are further keys of the answer."""

    def __init__(self, error: str, **details: Any) -> None:
        super().__init__(error)
        self.error = error
        self.details = details

    def body(self) -> Json:
        return {"ok": False, "error": self.error, **self.details}


def invalid(error: str, problems: list[str]) -> SlackError:
    """`invalid_blocks` or `invalid_arguments` with what is wrong, in the two places Slack has."""
    messages = [f"[ERROR] {problem}" for problem in problems]
    details: Json = {"response_metadata": {"messages": messages}}
    if error == "invalid_blocks":
        details["errors"] = problems
    return SlackError(error, **details)


def required(args: Json, *names: str) -> list[str]:
    """The arguments by name; raises SlackError `invalid_arguments` for a missing one."""
    missing = [name for name in names if args.get(name) in (None, "")]
    if missing:
        problems = [f"missing required field: {name}" for name in missing]
        raise invalid("invalid_arguments", problems)
    return [str(args[name]) for name in names]


def truthy(value: Any) -> bool:
    """Booleans as they come in forms: `true`, `1`."""
    return value in (True, "true", "True", "1", 1)
