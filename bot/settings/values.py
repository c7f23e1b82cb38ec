"""Reading the values of settings: numbers, durations, ids, secrets. `addresses` reads the rest.

Each reader takes text (or a value that already has the right type) and returns the value to keep.
Each raises ValueError; its text continues a sentence that begins with the setting's name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable

from pydantic import SecretStr

_LONGEST_SHOWN = 40
_LOOKS_SECRET = ("xox", "xapp", "xwfp", "://")

_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}

LONGEST_MS = 365 * _UNITS_MS["d"]
"""Anything longer is taken for a typing error: a deadline that far away is no deadline."""

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})
_PEOPLE = "user ids (U…, W…) or user group ids (S…), as a profile's Copy member ID gives them"
_CHANNELS = "channel ids (C…, G…), found at the end of a channel's details"


def shown(value: object) -> str:
    """A wrong value, quoted for a sentence, or `the value given` instead of it.

    People paste tokens into the wrong line, and an address may hold a password. Whatever looks like
    a token or an address is not repeated.
    """
    text = str(value)
    if len(text) > _LONGEST_SHOWN or any(mark in text for mark in _LOOKS_SECRET):
        return "the value given"
    return f"'{''.join(char if char.isprintable() else '?' for char in text)}'"


def whole_number(low: int, high: int) -> Callable[[object], int]:
    """A reader of whole numbers from `low` to `high`, both included."""

    def read(value: object) -> int:
        text = "" if isinstance(value, bool) else str(value).strip()
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}, not {shown(value)}")
        return int(text)

    return read


def seconds(least: float, most: float) -> Callable[[object], float]:
    """A reader of seconds from `least` to `most`, both included; fractions are allowed."""

    def read(value: object) -> float:
        text = "" if isinstance(value, bool) else str(value).strip()
        # float() alone would also accept exponents, nan and inf.
        number = float(text) if re.fullmatch(r"[0-9]{0,9}\.?[0-9]{1,9}", text) else math.nan
        if not least <= number <= most:
            raise ValueError(
                f"must be a number of seconds such as 5 or 0.5, from {least:g} to {most:g}, "
                f"not {shown(value)}"
            )
        return number

    return read


def parse_duration(value: object, *, zero_allowed: bool = False) -> int:
    """Whole milliseconds of a duration such as `15m`, or of an int that already is in them.

    With `zero_allowed`, `0` (with or without a unit) is 0. Raises ValueError.
    """
    text = str(value).strip()
    form = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    if isinstance(value, int) and not isinstance(value, bool):
        value_ms = value
    elif form is not None:
        value_ms = int(form[1]) * _UNITS_MS[form[2]]
    elif zero_allowed and text == "0":
        value_ms = 0
    else:
        also = ", or 0" if zero_allowed else ""
        raise ValueError(f"must be a duration such as 90s, 15m, 1h or 2d{also}, not {shown(value)}")
    if value_ms < 0 or (value_ms == 0 and not zero_allowed):
        raise ValueError(f"must be longer than no time at all, not {shown(value)}")
    if value_ms > LONGEST_MS:
        raise ValueError(f"must be 365d or less, not {shown(value)}")
    return value_ms


def duration_or_zero(value: object) -> int:
    return parse_duration(value, zero_allowed=True)


def switch(value: object) -> bool:
    """`true` or `false`. Anything else is an error: a typing error in DRY_RUN must not end in a
    real DELETE."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(f"must be true or false, not {shown(value)}")
    return word in _TRUE


def one_of(*words: str) -> Callable[[object], str]:
    """A reader of one of these words, in upper or lower case."""

    def read(value: object) -> str:
        word = str(value).strip().lower()
        if word not in words:
            raise ValueError(f"must be one of {', '.join(words)}, not {shown(value)}")
        return word

    return read


def matching(form: str, what: str) -> Callable[[object], str]:
    """A reader of text of this form."""

    def read(value: object) -> str:
        text = str(value).strip()
        if not re.fullmatch(form, text):
            raise ValueError(f"must be {what}, not {shown(text)}")
        return text

    return read


slack_command = matching(
    r"/[a-z0-9_-]{1,31}",
    "a slash command such as /vr-unpair, of lower-case letters, digits, hyphens and underscores "
    "and at most 32 characters",
)
"""Slack docs, slash commands."""


def people(value: object) -> tuple[str, ...]:
    """Comma-separated user ids (`U…`, `W…`) and user group ids (`S…`), in order, each once."""
    return _ids(value, r"[UWS][A-Z0-9]{1,31}", _PEOPLE)


def people_or_none(value: object) -> tuple[str, ...]:
    """The same as `people`, or the word `none` for nobody."""
    nobody = isinstance(value, str) and value.strip().lower() == "none"
    return () if nobody else people(value)


def channels(value: object) -> tuple[str, ...]:
    """Comma-separated channel ids (`C…`, `G…`), in order, each once."""
    return _ids(value, r"[CG][A-Z0-9]{1,31}", _CHANNELS)


def _ids(value: object, form: str, what: str) -> tuple[str, ...]:
    given: Iterable[object] = value if isinstance(value, list | tuple) else str(value).split(",")
    ids = [text for text in (str(item).strip() for item in given) if text]
    for text in ids:
        if not re.fullmatch(form, text):
            raise ValueError(f"must list {what}, separated by commas; {shown(text)} is not one")
    if not ids and isinstance(value, str):
        # An empty list means everybody for REQUESTERS and every channel for CHANNELS. Whoever wrote
        # only a comma would get the opposite of what they wanted.
        raise ValueError(f"names nobody and nothing: list {what}, or leave it out")
    return tuple(dict.fromkeys(ids))


def label(value: object) -> str:
    """One short line of text for a card."""
    text = str(value).strip()
    if len(text) > 80 or not text.isprintable():
        raise ValueError("must be one line of at most 80 characters")
    return text


def regular_expression(value: object) -> str:
    """A regular expression in Python's syntax that the package `regex` accepts as well. That one
    runs it, because it can stop after a time (see `bot.request.who_may.PATTERN_SECONDS`)."""
    import regex  # type: ignore[import-untyped]  # 1 MB, only needed where a pattern is set

    text = str(value)
    try:
        re.compile(text)
        regex.compile(text)
    except (re.error, regex.error, OverflowError) as error:
        raise ValueError(f"is not a valid regular expression ({error}): correct it") from error
    return text


def username(value: object) -> str:
    text = str(value)
    # In basic auth the user name ends at the first colon (RFC 7617): with a colon in it, the bot
    # would log in as another user.
    if ":" in text or not text.strip() or not text.isprintable():
        raise ValueError(
            "must be a user's name such as unpair@vsphere.local, in one line and without a colon"
        )
    return text.strip()


def password(secret: SecretStr) -> SecretStr:
    if any(char in secret.get_secret_value() for char in "\r\n\0"):
        raise ValueError("holds a line end: give the password in one line")
    return secret


def token(secret: SecretStr) -> SecretStr:
    # It goes into an HTTP header. A copied line end would fail there, with an error that quotes the
    # secret.
    if not re.fullmatch(r"[!-~]+", secret.get_secret_value()):
        raise ValueError("holds a space, a line end or another odd character: copy it again")
    return secret


def bot_token(secret: SecretStr) -> SecretStr:
    if token(secret).get_secret_value().startswith(("xapp-", "xoxp-")):
        raise ValueError("is not a bot token: give the one that begins with xoxb-")
    return secret


def app_token(secret: SecretStr) -> SecretStr:
    if token(secret).get_secret_value().startswith(("xoxb-", "xoxp-")):
        raise ValueError("is not an app-level token: give the one that begins with xapp-")
    return secret


def fingerprint(value: object) -> str:
    """64 lower-case hexadecimal digits without colons."""
    digits = str(value).strip().replace(":", "").lower()
    if re.fullmatch(r"[0-9a-f]{40}", digits):
        raise ValueError("has the length of a SHA-1 fingerprint: give the SHA-256 one")
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise ValueError(
            "must be the SHA-256 of the appliance's certificate: 64 hexadecimal digits, colons "
            "optional"
        )
    return digits
