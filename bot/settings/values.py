"""What each setting takes, and the sentence for a wrong value: a reader for each kind of value.

Each reader takes text (or a value that already has the right type) and returns the value to keep.
Each raises ValueError; its text continues a sentence that begins with the setting's name. No value
is repeated there: people paste a token or a password into the wrong line.
"""

from __future__ import annotations

import ipaddress
import math
import re
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}

LONGEST_MS = 365 * _UNITS_MS["d"]
"""Anything longer is taken for a typing error: a deadline that far away is no deadline."""

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})
_PEOPLE = "user ids (U…, W…) or user group ids (S…), as a profile's Copy member ID gives them"
_CHANNELS = "channel ids (C…, G…), found at the end of a channel's details"


def whole_number(low: int, high: int) -> Callable[[object], int]:
    """A reader of whole numbers from `low` to `high`, both included."""
    what = f"a whole number from {low} to {high}"
    return lambda value: int(_number(value, r"[0-9]{1,9}", low, high, what))


def seconds(low: float, high: float) -> Callable[[object], float]:
    """A reader of seconds from `low` to `high`, both included; fractions are allowed."""
    what = f"a number of seconds such as 5 or 0.5, from {low:g} to {high:g}"
    return lambda value: _number(value, r"[0-9]{0,9}\.?[0-9]{1,9}", low, high, what)


def _number(value: object, form: str, low: float, high: float, what: str) -> float:
    text = "" if isinstance(value, bool) else str(value).strip()
    # float() alone would also accept exponents, nan and inf.
    number = float(text) if re.fullmatch(form, text) else math.nan
    if not low <= number <= high:
        raise ValueError(f"must be {what}")
    return number


def parse_duration(value: object, *, zero_allowed: bool = False, least: str = "") -> int:
    """Whole milliseconds of a duration such as `15m`, or of an int that already is in them.

    With `zero_allowed`, `0` (with or without a unit) is 0. `least` is the shortest that is taken.
    Raises ValueError.
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
        raise ValueError(f"must be a duration such as 90s, 15m, 1h or 2d{also}")
    if value_ms < 0 or (value_ms == 0 and not zero_allowed):
        raise ValueError("must be longer than no time at all")
    if least and value_ms < parse_duration(least):
        raise ValueError(f"must be {least} or more")
    if value_ms > LONGEST_MS:
        raise ValueError("must be 365d or less")
    return value_ms


def switch(value: object) -> bool:
    """`true` or `false`. Anything else is an error: a typing error in DRY_RUN must not end in a
    real DELETE."""
    word = str(value).strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("must be true or false")
    return word in _TRUE


def one_of(*words: str) -> Callable[[object], str]:
    """A reader of one of these words, in upper or lower case."""

    def read(value: object) -> str:
        word = str(value).strip().lower()
        if word not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return word

    return read


def matching(form: str, what: str) -> Callable[[object], str]:
    """A reader of text of this form."""

    def read(value: object) -> str:
        text = str(value).strip()
        if not re.fullmatch(form, text):
            raise ValueError(f"must be {what}")
        return text

    return read


slack_command = matching(
    r"/[a-z0-9_-]{1,31}",
    "a slash command such as /vr-unpair, of lower-case letters, digits, hyphens and underscores "
    "and at most 32 characters",
)
"""Slack docs, slash commands."""


def people(value: object, *, nobody_allowed: bool = False) -> tuple[str, ...]:
    """Comma-separated user ids (`U…`, `W…`) and user group ids (`S…`), in order, each once. With
    `nobody_allowed`, the word `none` is nobody."""
    if nobody_allowed and isinstance(value, str) and value.strip().lower() == "none":
        return ()
    return _ids(value, r"[UWS][A-Z0-9]{1,31}", _PEOPLE)


def channels(value: object) -> tuple[str, ...]:
    """Comma-separated channel ids (`C…`, `G…`), in order, each once."""
    return _ids(value, r"[CG][A-Z0-9]{1,31}", _CHANNELS)


def _ids(value: object, form: str, what: str) -> tuple[str, ...]:
    given: Iterable[object] = value if isinstance(value, list | tuple) else str(value).split(",")
    ids = [text for text in (str(item).strip() for item in given) if text]
    for number, text in enumerate(ids, 1):
        if not re.fullmatch(form, text):
            raise ValueError(f"must list {what}, separated by commas; number {number} is not one")
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
        where = getattr(error, "pos", None)
        place = "" if where is None else f" (at character {where + 1})"
        raise ValueError(f"is not a valid regular expression{place}: correct it") from error
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


def token_of(kind: str, begins: str, others: tuple[str, ...]) -> Callable[[SecretStr], SecretStr]:
    """A reader of this kind of token, which is none of the `others` that Slack shows beside it."""

    def read(secret: SecretStr) -> SecretStr:
        if token(secret).get_secret_value().startswith(others):
            raise ValueError(f"is not {kind}: give the one that begins with {begins}")
        return secret

    return read


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


# --- Where something is: addresses, hosts, files

_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = rf"(?=.{{1,253}}(?::|$)){_LABEL}(?:\.{_LABEL})*\.?"
_PLACE = re.compile(
    rf"(?:\[(?P<v6>[^\[\]]+)\]|(?P<v4>[0-9.]+)|{_NAME})(?::(?P<port>[0-9]{{1,5}}))?"
)

listen_address = matching(
    r"(?![^:]*:[^:]*$)[A-Za-z0-9_.:-]{1,253}",  # one colon alone is before a port
    "an address to listen on such as 0.0.0.0, without a port (that is PORT)",
)

base_path = matching(r"(/(?!\.)[A-Za-z0-9._~-]+)+/?", "a path such as /api/rest/vr/v2")


def slack_api_url(value: object) -> str:
    """The base address of Slack's Web API, with a slash at the end."""
    text = str(value).strip()
    address = _address(text)
    if (
        address is None
        or address.scheme not in {"http", "https"}
        or address.query
        or address.fragment
        or address.username is not None
    ):
        raise ValueError(
            "must be an address such as https://slack.com/api/, without user, password, query or "
            "fragment"
        )
    if address.scheme == "http" and address.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise ValueError(
            "must begin with https://, since every call carries the token: http:// is for a test "
            "double on this machine alone (localhost, 127.0.0.1, ::1)"
        )
    return text.rstrip("/") + "/"


def proxy(value: object) -> str:
    """The address of a proxy. It may hold a password, so do not show it. Without a scheme it is
    http. Other schemes are passed on; whether one works depends on the library that connects."""
    text = str(value).strip()
    if _address(text if "://" in text else f"http://{text}") is None:
        raise ValueError("must be an address such as http://proxy.example.net:3128")
    return text


def _address(text: str) -> SplitResult | None:
    """The parts of an address; None without a host or with a port that cannot be."""
    with suppress(ValueError):
        address = urlsplit(text)
        if address.hostname and address.port != 0 and not re.search(r"\s", text):
            return address
    return None


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
    complete = False
    with suppress(ValueError):
        complete = urlsplit(text).port != 0 and len(urlsplit(text).path) > 1
    if not complete:
        raise ValueError(
            "must be of the form postgresql+psycopg://user:password@host:5432/database, with "
            "special characters of the password percent-encoded"
        )
    return SecretStr(text)


def host(value: object) -> str:
    """The appliance's `host` or `host:port`."""
    text = str(value).strip()
    place = _PLACE.fullmatch(text)
    with suppress(ValueError):
        # A zone (fe80::1%eth0) is valid on one machine only, and URLs have no form for it.
        if place and place["v6"] and ipaddress.IPv6Address(place["v6"]).scope_id:
            place = None
        if place and place["v4"]:
            ipaddress.IPv4Address(place["v4"])
        if place and 1 <= int(place["port"] or 1) <= 65535:
            return text
    raise ValueError(
        "must be the appliance's host or host:port, such as vr.example.net, without https://, path "
        "or user, an IPv6 address in brackets"
    )


def ca_file(value: object) -> Path:
    path = Path(str(value))
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    # SSLError is an OSError too, so it is caught first: its sentence is the more exact one.
    except ssl.SSLError as error:
        raise ValueError(
            "names a file that holds no certificate in PEM form: give the file of the authority "
            "that signed the appliance's certificate"
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise ValueError(
            f"names a file that cannot be read ({reason}): give the path of a PEM file"
        ) from error
    return path
