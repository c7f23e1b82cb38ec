"""Durations as people write them (`90s`, `15m`, `1h`, `2d`), kept as whole milliseconds."""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator

from bot.settings.problems import shown

_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_FORM = re.compile(r"([0-9]{1,9})([smhd])")

LONGEST_MS = 365 * _UNITS_MS["d"]
"""Anything longer is taken for a typing error: a deadline that far away is no deadline."""


def parse_duration(text: str, *, zero_allowed: bool = False) -> int:
    """Whole milliseconds of a duration such as `15m`.

    With `zero_allowed`, `0` (with or without a unit) is 0. Raises ValueError; its text continues a
    sentence that begins with the setting's name.
    """
    if zero_allowed and text.strip() == "0":
        return 0
    form = _FORM.fullmatch(text.strip())
    if form is None:
        also = ", or 0" if zero_allowed else ""
        raise ValueError(f"must be a duration such as 90s, 15m, 1h or 2d{also}, not {shown(text)}")
    return _within_limits(int(form[1]) * _UNITS_MS[form[2]], text, zero_allowed)


def _within_limits(value_ms: int, given: object, zero_allowed: bool) -> int:
    if value_ms < 0 or (value_ms == 0 and not zero_allowed):
        raise ValueError(f"must be longer than no time at all, not {shown(given)}")
    if value_ms > LONGEST_MS:
        raise ValueError(f"must be 365d or less, not {shown(given)}")
    return value_ms


def _positive(value: object) -> int:
    return _read(value, zero_allowed=False)


def _zero_or_more(value: object) -> int:
    return _read(value, zero_allowed=True)


def _read(value: object, *, zero_allowed: bool) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return _within_limits(value, value, zero_allowed)
    return parse_duration(str(value), zero_allowed=zero_allowed)


DurationMs: TypeAlias = Annotated[int, BeforeValidator(_positive)]
"""Whole milliseconds, more than 0. Read from text (`15m`) or from an int of milliseconds."""

DurationOrZeroMs: TypeAlias = Annotated[int, BeforeValidator(_zero_or_more)]
"""Whole milliseconds; 0 means never."""
