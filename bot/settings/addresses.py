"""Reading the values of settings that say where something is: addresses, hosts, files.

As in `values`, each reader raises ValueError with a text that continues a sentence, which begins
with the setting's name.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import re
import ssl
import stat
from pathlib import Path
from typing import BinaryIO
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from bot.settings.values import matching, shown

_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
_PLACE = re.compile(r"(?P<name>\[[^\[\]]*\]|[^:\[\]]*)(?::(?P<port>[0-9]{1,5}))?")

listen_address = matching(
    r"(?![^:]*:[^:]*$)[A-Za-z0-9_.:-]{1,253}",  # one colon alone is before a port
    "an address to listen on such as 0.0.0.0, without a port (that is PORT)",
)

base_path = matching(r"(/(?!\.)[A-Za-z0-9._~-]+)+/?", "a path such as /api/rest/vr/v2")


def slack_api_url(value: object) -> str:
    """The base address of Slack's Web API, with a slash at the end."""
    text = str(value).strip()
    address = None if any(char.isspace() for char in text) else _address(text)
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
    if address.scheme == "http" and not _is_loopback(address.hostname or ""):
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
    try:
        address = urlsplit(text)
        complete = bool(address.hostname) and (address.port is None or address.port > 0)
    except ValueError:
        return None
    return address if complete else None


def _is_loopback(name: str) -> bool:
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


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


def host(value: object) -> str:
    """The appliance's `host` or `host:port`."""
    text = str(value).strip()
    place = _PLACE.fullmatch(text)
    port = place["port"] if place else None
    if place is None or not _is_host(place["name"]) or (port and not 1 <= int(port) <= 65535):
        raise ValueError(
            f"must be the appliance's host or host:port, such as vr.example.net, without https://, "
            f"path or user, an IPv6 address in brackets, not {shown(text)}"
        )
    return text


def _is_host(name: str) -> bool:
    try:
        if name.startswith("["):
            # A zone (fe80::1%eth0) is valid on one machine only, and URLs have no form for it.
            return ipaddress.IPv6Address(name[1:-1]).scope_id is None
        if re.fullmatch(r"[0-9.]+", name):
            return bool(ipaddress.IPv4Address(name))
    except ValueError:
        return False
    return len(name) <= 253 and _NAME.fullmatch(name) is not None


def ca_file(value: object) -> Path:
    path = Path(str(value))
    try:
        with open_regular(path):
            pass
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


def open_regular(path: Path) -> BinaryIO:
    """The file, to be read. Raises OSError, also for what is no regular file: a start would wait
    for ever for somebody to write into a pipe."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file")
    return os.fdopen(descriptor, "rb")
