"""The lines of the audit trail among those of a log, which are the trail's witness.

A line is read as what it is, a JSON object or a line of the console, from its first character to
its last: what people or the appliance wrote stands in other lines, and may look like one of these.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from bot.operate.logs import AUDIT

_BEFORE = r"""[^{}"'=>]*"""
"""What a shipper may have put before a line: a time, a host, a unit. No value that the bot logs is
such a text up to the end of its line: the console quotes it or goes on behind it, and quotes the
lines of a traceback by `>`."""

_CONSOLE = re.compile(
    rf"{_BEFORE}\d{{4}}-\d\d-\d\dT[\d:.]+Z \[info *\] audit +\[{re.escape(AUDIT)}\]"
    r"(?P<fields>(?: \w+=[^\s\"'=]+)+)"
)
_HASH = re.compile(r"[0-9a-f]{64}")
_ANSI = re.compile(r"\x1b\[[0-9;]*m")

Told = tuple[int, str]
"""Number and hash of a record."""


def told_lines(lines: Iterable[str]) -> Iterator[Told]:
    """In either form of LOG_FORMAT, also behind what a shipper puts before a line, and in a field
    of its own JSON."""
    for line in lines:
        if AUDIT in line and (told := _of_line(line)):
            yield told


def _of_line(line: str) -> Told | None:
    text = _ANSI.sub("", line).strip()
    if console := _CONSOLE.fullmatch(text):
        fields = dict(field.split("=") for field in console["fields"].split())
        number = fields.get("number", "")
        return _told(int(number) if re.fullmatch(r"\d{1,18}", number) else None, fields.get("hash"))
    before, brace, rest = text.partition("{")
    if not brace or not re.fullmatch(_BEFORE, before):
        return None
    try:
        return _of_object(json.loads(brace + rest))
    except (ValueError, RecursionError):
        return None


def _of_object(found: dict[str, Any]) -> Told | None:
    if "event" in found and "logger" in found:  # a line of ours, whose values are never looked into
        ours = (found["event"], found["logger"]) == ("audit", AUDIT)
        return _told(found.get("number"), found.get("hash")) if ours else None
    for value in found.values():
        told = None
        if isinstance(value, dict):
            told = _of_object(value)
        elif isinstance(value, str) and AUDIT in value:
            told = _of_line(value)
        if told:
            return told
    return None


def _told(number: object, digest: object) -> Told | None:
    whole = isinstance(number, int) and isinstance(digest, str) and _HASH.fullmatch(digest)
    return (number, digest) if whole else None  # type: ignore[return-value]
