"""Reading the values of settings: numbers, switches, ids, addresses.

Each function takes text (or a value that already has the right type) and returns the value to keep.
Each raises ValueError; its text continues a sentence that begins with the setting's name.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Iterable
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from bot.settings.problems import shown

_PERSON = re.compile(r"[UWS][A-Z0-9]{1,31}")
_CHANNEL = re.compile(r"[CG][A-Z0-9]{1,31}")
_COMMAND = re.compile(r"/[a-z0-9_-]{1,31}")
_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


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


def people(value: object) -> tuple[str, ...]:
    """Comma-separated user ids (`U…`, `W…`) and user group ids (`S…`), in order, each once."""
    return _ids(
        value,
        _PERSON,
        "user ids (U…, W…) or user group ids (S…), as a profile's Copy member ID gives them",
    )


def people_or_none(value: object) -> tuple[str, ...]:
    """The same as `people`, or the word `none` for nobody."""
    if isinstance(value, str) and value.strip().lower() == "none":
        return ()
    return people(value)


def channels(value: object) -> tuple[str, ...]:
    """Comma-separated channel ids (`C…`, `G…`), in order, each once."""
    return _ids(value, _CHANNEL, "channel ids (C…, G…), found at the end of a channel's details")


def _ids(value: object, form: re.Pattern[str], what: str) -> tuple[str, ...]:
    given: Iterable[object] = value if isinstance(value, list | tuple) else str(value).split(",")
    ids = [text for text in (str(item).strip() for item in given) if text]
    for text in ids:
        if not form.fullmatch(text):
            raise ValueError(f"must list {what}, separated by commas; {shown(text)} is not one")
    if not ids and isinstance(value, str):
        # An empty list means everybody for REQUESTERS and every channel for CHANNELS. Whoever wrote
        # only a comma would get the opposite of what they wanted.
        raise ValueError(f"names nobody and nothing: list {what}, or leave it out")
    return tuple(dict.fromkeys(ids))


def slack_command(value: object) -> str:
    """A slash command (Slack docs, slash commands: up to 32 characters, lower case, no space)."""
    text = str(value).strip()
    if not _COMMAND.fullmatch(text):
        raise ValueError(
            f"must be a slash command such as /vr-unpair, of lower-case letters, digits, hyphens "
            f"and underscores and at most 32 characters, not {shown(text)}"
        )
    return text


def slack_api_url(value: object) -> str:
    """The base address of Slack's Web API, with a slash at the end."""
    text = str(value).strip()
    address = _split(text)
    if address is None or address.query or address.fragment or address.username is not None:
        raise ValueError(
            "must be an address such as https://slack.com/api/, without user, password, query or "
            "fragment"
        )
    if address.scheme == "http" and not _is_loopback(address.hostname or ""):
        raise ValueError(
            "must begin with https://, since every call carries the token: http:// is for a test "
            "double on this machine alone (localhost, 127.0.0.1, ::1)"
        )
    return text.rstrip("/") + "/"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(text: str) -> SplitResult | None:
    if any(char.isspace() for char in text):
        return None
    try:
        address = urlsplit(text)
        port_is_valid = address.port is None or address.port > 0
    except ValueError:
        return None
    if address.scheme not in {"http", "https"} or not address.hostname or not port_is_valid:
        return None
    return address


def proxy(value: object) -> str:
    """The address of a proxy. It may hold a password, so do not show it. Without a scheme it is
    http. Other schemes are passed on; whether one works depends on the library that connects."""
    text = str(value).strip()
    try:
        address = urlsplit(text if "://" in text else f"http://{text}")
        complete = bool(address.hostname) and (address.port is None or address.port > 0)
    except ValueError:
        complete = False
    if not complete:
        raise ValueError("must be an address such as http://proxy.example.net:3128")
    return text


def label(value: object) -> str:
    """One short line of text for a card."""
    text = str(value).strip()
    if len(text) > 80 or not text.isprintable():
        raise ValueError("must be one line of at most 80 characters")
    return text


def regular_expression(value: object) -> str:
    """A regular expression in Python's syntax that the package `regex` accepts as well. That one
    runs it, because it can stop after a time (see `bot.core.policy.PATTERN_SECONDS`)."""
    import regex  # type: ignore[import-untyped]  # 1 MB, only needed where a pattern is set

    text = str(value)
    try:
        re.compile(text)
        regex.compile(text)
    except (re.error, regex.error, OverflowError) as error:
        raise ValueError(f"is not a valid regular expression ({error}): correct it") from error
    return text


def listen_address(value: object) -> str:
    """The address or name that the bot's own server listens on, without a port."""
    text = str(value).strip()
    if not re.fullmatch(r"[A-Za-z0-9_.:-]{1,253}", text) or (text.count(":") == 1):
        raise ValueError(
            f"must be an address to listen on such as 0.0.0.0, without a port (that is PORT), "
            f"not {shown(text)}"
        )
    return text


def database_url(value: object) -> SecretStr:
    """The address of the database. All of it is a secret, since it may hold a password."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
    text = text.strip()
    if text.startswith("sqlite://"):
        if not re.fullmatch(r"sqlite:///[^?#\s][^?#]*", text) or ":memory:" in text:
            raise ValueError(
                "must name a file, such as sqlite:///vr-unpair.db, without ? or # and what follows "
                "it: a database in memory forgets what was approved and sent"
            )
        return SecretStr(text)
    if not text.startswith("postgresql+psycopg://"):
        raise ValueError("must begin with sqlite:/// or postgresql+psycopg://")
    try:
        address = urlsplit(text)
        complete = address.port is None or address.port > 0
    except ValueError:
        complete = False
    if not complete or len(address.path) < 2:
        raise ValueError(
            "must be of the form postgresql+psycopg://user:password@host:5432/database, with "
            "special characters of the password percent-encoded"
        )
    return SecretStr(text)
