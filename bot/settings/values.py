"""What each setting takes, and the sentence for a wrong value: a reader for each kind of value.

Each reader takes text and returns the value to keep. Each raises ValueError; its text continues a
sentence that begins with the setting's name. No value is repeated there: people paste a token or a
password into the wrong line.
"""

from __future__ import annotations

import ipaddress
import re
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pydantic import SecretStr

_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}

LONGEST = "365d"
"""Anything longer is taken for a typing error: a deadline that far away is no deadline."""

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})
_PEOPLE = "user ids (U…, W…) or user group ids (S…), as a profile's Copy member ID gives them"
_ACCOUNTS = "user ids (U…, W…) with a + between those of one person"
_CHANNELS = "channel ids (C…, G…), found at the end of a channel's details"


def matching(form: str, what: str) -> Callable[[str], str]:
    """A reader of text of this form."""

    def read(text: str) -> str:
        if not re.fullmatch(form, text.strip()):
            raise ValueError(f"must be {what}")
        return text.strip()

    return read


def whole_number(low: int, high: int) -> Callable[[str], float]:
    """A reader of whole numbers from `low` to `high`, both included."""
    return _number(r"[0-9]{1,9}", low, high, f"a whole number from {low} to {high}")


def seconds(low: float, high: float) -> Callable[[str], float]:
    """A reader of seconds from `low` to `high`, both included; fractions are allowed."""
    what = f"a number of seconds such as 5 or 0.5, from {low:g} to {high:g}"
    return _number(r"[0-9]{0,9}\.?[0-9]{1,9}", low, high, what)


def _number(form: str, low: float, high: float, what: str) -> Callable[[str], float]:
    formed = matching(form, what)  # float() alone would also accept exponents, nan and inf

    def read(text: str) -> float:
        number = float(formed(text))
        if not low <= number <= high:
            raise ValueError(f"must be {what}")
        return number

    return read


def duration(least: str) -> Callable[[str], int]:
    """A reader of durations such as `15m`, from `least` on, as whole milliseconds. Where `least` is
    `0`, that needs no unit."""
    what = f"a duration such as 90s, 15m, 1h or 2d, from {least} to {LONGEST}"
    formed = matching(r"[0-9]{1,9}[smhd]" + "|0" * (least == "0"), what)

    def read(text: str) -> int:
        value_ms = _ms(formed(text))
        if not _ms(least) <= value_ms <= _ms(LONGEST):
            raise ValueError(f"must be {what}")
        return value_ms

    return read


def _ms(duration: str) -> int:
    return int(duration[:-1]) * _UNITS_MS[duration[-1]] if duration != "0" else 0


def switch(text: str) -> bool:
    """`true` or `false`. Anything else is an error: a typing error in DRY_RUN must not end in a
    real DELETE."""
    word = text.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("must be true or false")
    return word in _TRUE


def one_of(*words: str) -> Callable[[str], str]:
    """A reader of one of these words, in upper or lower case."""
    formed = matching("|".join(words), f"one of {', '.join(words)}")
    return lambda text: formed(text.lower())


slack_command = matching(
    r"/[a-z0-9_-]{1,31}",
    "a slash command such as /vr-unpair, of lower-case letters, digits, hyphens and underscores "
    "and at most 32 characters",
)
"""Slack docs, slash commands."""


def people(text: str) -> tuple[str, ...]:
    """Comma-separated user ids (`U…`, `W…`) and user group ids (`S…`), in order, each once."""
    return _ids(text, r"[UWS][A-Z0-9]{1,31}", _PEOPLE)


def people_or_none(text: str) -> tuple[str, ...]:
    """The same, or the word `none` for nobody."""
    return () if text.strip().lower() == "none" else people(text)


def same_person(text: str) -> tuple[tuple[str, ...], ...]:
    """Comma-separated people with several accounts, each as their user ids with a + between."""
    people = [
        tuple(_ids(one.replace("+", ","), r"[UW][A-Z0-9]{1,31}", _ACCOUNTS))
        for one in text.split(",")
    ]
    accounts = [account for one in people for account in one]
    if len(accounts) != len(set(accounts)) or any(len(one) < 2 for one in people):
        raise ValueError(
            "must name people with several accounts, such as U1+U2,U3+U4: at least two ids for "
            "each, and each id once"
        )
    return tuple(people)


def channels(text: str) -> tuple[str, ...]:
    """Comma-separated channel ids (`C…`, `G…`), in order, each once."""
    return _ids(text, r"[CG][A-Z0-9]{1,31}", _CHANNELS)


def _ids(text: str, form: str, what: str) -> tuple[str, ...]:
    ids = [item.strip() for item in text.split(",") if item.strip()]
    wrong = [at for at in enumerate(ids, 1) if not re.fullmatch(form, at[1])]
    # An empty list means everybody for REQUESTERS and every channel for CHANNELS. Whoever wrote
    # only a comma would get the opposite of what they wanted.
    if wrong or not ids:
        which = ""
        if wrong:
            number, item = wrong[0]
            kind = "a name, not an id" if re.match("<?[@#]", item) else "not one"
            which = f"; number {number} is {kind}"
        raise ValueError(f"must list {what}, separated by commas{which}")
    return tuple(dict.fromkeys(ids))


def label(text: str) -> str:
    """One short line of text for a card."""
    text = text.strip()
    if len(text) > 80 or not text.isprintable():
        raise ValueError("must be one line of at most 80 characters")
    return text


def regular_expression(text: str) -> str:
    """A regular expression of the package `regex`, which can stop after a time (see
    `bot.request.who_may.PATTERN_SECONDS`)."""
    import regex  # type: ignore[import-untyped]  # 1 MB, only needed where a pattern is set

    try:
        regex.compile(text)
    except (regex.error, OverflowError) as error:
        where = getattr(error, "pos", None)
        place = "" if where is None else f" (at character {where + 1})"
        raise ValueError(f"is not a valid regular expression{place}: correct it") from error
    return text


def username(text: str) -> str:
    # In basic auth the user name ends at the first colon (RFC 7617): with a colon in it, the bot
    # would log in as another user.
    if ":" in text or not text.strip() or not text.isprintable():
        raise ValueError(
            "must be a user's name such as unpair@vsphere.local, in one line and without a colon"
        )
    return text.strip()


def password(text: str) -> str:
    if "\r" in text or "\n" in text:
        raise ValueError("holds a line end: give the password in one line")
    return text


def token(text: str) -> str:
    # It goes into an HTTP header. A copied line end would fail there, with an error that quotes the
    # secret.
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError("holds a space, a line end or another odd character: copy it again")
    return text


def token_of(kind: str, begins: str, others: tuple[str, ...]) -> Callable[[str], str]:
    """A reader of this kind of token, which is none of the `others` that Slack shows beside it."""

    def read(text: str) -> str:
        if token(text).startswith(others):
            raise ValueError(f"is not {kind}: give the one that begins with {begins}")
        return text

    return read


def fingerprint(text: str) -> str:
    """64 lower-case hexadecimal digits without colons."""
    digits = text.strip().replace(":", "").lower()
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


def in_the_clear(address: SplitResult) -> bool:
    """Whether what is sent there, and a token with it, leaves this machine without TLS."""
    return address.scheme == "http" and address.hostname not in {"localhost", "127.0.0.1", "::1"}


def slack_api_url(text: str) -> str:
    """The base address of Slack's Web API, with a slash at the end."""
    text = text.strip()
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
    if in_the_clear(address):
        raise ValueError(
            "must begin with https://, since every call carries the token: http:// is for a test "
            "double on this machine alone (localhost, 127.0.0.1, ::1)"
        )
    return text.rstrip("/") + "/"


def proxy(text: str) -> None:
    """The address of a proxy. It may hold a password, so do not show it. Without a scheme it is
    http. Other schemes are passed on; whether one works depends on the library that connects."""
    text = text.strip()
    if _address(text if "://" in text else f"http://{text}") is None:
        raise ValueError("must be an address such as http://proxy.example.net:3128")


def _address(text: str) -> SplitResult | None:
    """The parts of an address; None without a host or with a port that cannot be."""
    with suppress(ValueError):
        address = urlsplit(text)
        if address.hostname and address.port != 0 and not re.search(r"\s", text):
            return address
    return None


def passwords_in(text: str) -> list[str]:
    """Those in an address, as they stand there and as they are meant."""
    found: list[str] = []
    with suppress(ValueError):
        address = urlsplit(text if "://" in text else f"http://{text}")
        found += filter(None, [address.password])
        found += [value for name, value in parse_qsl(address.query) if "pass" in name.lower()]
    return [*found, *map(unquote, found)]


def database_url(text: str) -> SecretStr:
    """The address of the database. All of it is a secret, since it may hold a password."""
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


def host(text: str) -> str:
    """The appliance's `host` or `host:port`."""
    text = text.strip()
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


def ca_file(text: str) -> Path:
    path = Path(text)
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
