"""A time for the delete (`--at`): what can be typed, and which moment it means.

A time of day is one in the asker's own zone. On the night when clocks are put forward some of them
do not exist, on the night when they are put back some come twice. Neither is guessed: whoever asks
gets a sentence, because a break an hour early is one that nobody approved.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

AHEAD_MS = 10 * 60_000
"""So long before its time the thread is told that it will be done, and what is there by then."""

NotTaken = Literal["off", "no_zone", "missing", "twice", "past", "too_far"]
"""Why a time is refused."""

_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_SPAN = re.compile(r"\+(\d{1,5})([smhd])")
_CLOCK = re.compile(r"(?:(\d{4}-\d{2}-\d{2})[tT ])?(\d{1,2}):(\d{2})")


def tidy_time(typed: str) -> str | None:
    """`+6h`, `22:00` or `2026-12-03T22:00`, in that form; None if it is no time."""
    text = typed.strip()
    if span := _SPAN.fullmatch(text.lower()):
        return f"+{int(span[1])}{span[2]}"
    clock = _CLOCK.fullmatch(text)
    if clock is None:
        return None
    day, hour, minute = clock.groups()
    try:
        of_day = time(int(hour), int(minute)).isoformat("minutes")
        return f"{date.fromisoformat(day)}T{of_day}" if day else of_day
    except ValueError:
        return None


def moment(at: str, zone: str | None, asked_at: int) -> int | NotTaken:
    """The ms epoch that a tidy time means for somebody of this zone who asked at `asked_at`. A time
    of day without a date is the next one that comes."""
    if span := _SPAN.fullmatch(at):
        return asked_at + int(span[1]) * _UNITS_MS[span[2]]
    try:
        here = ZoneInfo(zone or "")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "no_zone"
    day, _, clock = at.rpartition("T")
    of_day = time.fromisoformat(clock)
    if day:
        return _of(datetime.combine(date.fromisoformat(day), of_day), here)
    today = datetime.combine(datetime.fromtimestamp(asked_at / 1000, tz=here).date(), of_day)
    over = max(_ms(today.replace(fold=fold), here) for fold in (0, 1)) <= asked_at
    return _of(today + timedelta(days=1) if over else today, here)


def on_the_clock(at: int, zone: str | None) -> tuple[str, str]:
    """Day and time of a moment, as pickers take them; never an earlier one. Without a zone in UTC,
    which is not taken back from whoever has none."""
    try:
        here = ZoneInfo(zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        here = ZoneInfo("UTC")
    local = datetime.fromtimestamp(-(-at // 60_000) * 60, tz=here)
    return str(local.date()), local.time().isoformat("minutes")


def _of(local: datetime, here: ZoneInfo) -> int | NotTaken:
    try:
        first, second = (_ms(local.replace(fold=fold), here) for fold in (0, 1))
    except OverflowError:  # the first or the last day of the calendar, which UTC has not
        return "past" if local.year == 1 else "too_far"
    if first == second:
        return first
    back = datetime.fromtimestamp(first / 1000, tz=here).replace(tzinfo=None, fold=0)
    return "twice" if back == local else "missing"


def _ms(local: datetime, here: ZoneInfo) -> int:
    return round(local.replace(tzinfo=here).astimezone(UTC).timestamp() * 1000)
