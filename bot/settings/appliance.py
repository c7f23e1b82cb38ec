"""The settings of one appliance: its address, who logs in, and how its certificate is checked."""

from __future__ import annotations

import ipaddress
import re
import ssl
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from bot.settings.files import open_regular
from bot.settings.forms import seconds, whole_number
from bot.settings.problems import shown

_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
_PLACE = re.compile(r"(?P<name>\[[^\[\]]*\]|[^:\[\]]*)(?::(?P<port>[0-9]{1,5}))?")
_FORM = "write host or host:port, an IPv6 address in brackets"


def _host(value: object) -> str:
    text = str(value).strip()
    if "://" in text:
        raise ValueError(f"must not hold a scheme such as https://: {_FORM}")
    if "/" in text or "@" in text:
        raise ValueError(f"must be the appliance's name alone, without a path or user: {_FORM}")
    if _is_ipv6(text):
        raise ValueError(f"is an IPv6 address without brackets: write [{text}] or [{text}]:443")
    place = _PLACE.fullmatch(text)
    if place is None or not _is_host(place["name"]):
        raise ValueError(f"is not a host: {_FORM}, not {shown(text)}")
    if place["port"] is not None and not 1 <= int(place["port"]) <= 65535:
        raise ValueError(f"has a port that is not from 1 to 65535: {_FORM}")
    return text


def _is_host(name: str) -> bool:
    if name.startswith("["):
        return _is_ipv6(name[1:-1])
    if re.fullmatch(r"[0-9.]+", name):
        return _is_ipv4(name)
    return len(name) <= 253 and _NAME.fullmatch(name) is not None


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    # A zone (fe80::1%eth0) is valid on one machine only, and URLs have no agreed form for it.
    return "%" not in text


def _is_ipv4(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def _username(value: object) -> str:
    text = str(value)
    # In basic auth the user name ends at the first colon (RFC 7617): with a colon in it, the bot
    # would log in as another user.
    if ":" in text or not text.strip() or not text.isprintable():
        raise ValueError(
            "must be a user's name such as unpair@vsphere.local, in one line and without a colon"
        )
    return text.strip()


def _password(secret: SecretStr) -> SecretStr:
    if any(char in secret.get_secret_value() for char in "\r\n\0"):
        raise ValueError("holds a line end: give the password in one line")
    return secret


def _ca_file(value: object) -> Path:
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


def _fingerprint(value: object) -> str:
    digits = str(value).strip().replace(":", "").lower()
    if re.fullmatch(r"[0-9a-f]{40}", digits):
        raise ValueError("has the length of a SHA-1 fingerprint: give the SHA-256 one")
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise ValueError(
            "must be the SHA-256 of the appliance's certificate: 64 hexadecimal digits, colons "
            "optional"
        )
    return digits


def _base_path(value: object) -> str:
    text = str(value).strip()
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+/?", text) or "/." in text:
        raise ValueError(f"must be a path such as /api/rest/vr/v2, not {shown(text)}")
    return text.rstrip("/")


Password = Annotated[SecretStr, AfterValidator(_password)]


CALLS_LEAST = 20
"""With fewer, following running tasks leaves too few calls for checks of new requests."""


class ApplianceSettings(BaseModel):
    """One vSphere Replication appliance.

    `fingerprint` is 64 lower-case hexadecimal digits without colons. At most one of `ca_file` and
    `fingerprint` is set; with neither, the system's certificate store decides.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: Annotated[str, BeforeValidator(_host)] = Field(
        description="name the vSphere Replication appliance, host or host:port"
    )
    username: Annotated[str, BeforeValidator(_username)] = Field(
        description="name the local SSO user that the bot logs in as"
    )
    password: Password = Field(description="give the password of the local SSO user")
    remote_username: Annotated[str, BeforeValidator(_username)] | None = None
    remote_password: Password | None = Field(default=None, validate_default=True)
    ca_file: Annotated[Path, BeforeValidator(_ca_file)] | None = None
    fingerprint: Annotated[str, BeforeValidator(_fingerprint)] | None = Field(
        default=None, validate_default=True
    )
    base_path: Annotated[str, BeforeValidator(_base_path)] = "/api/rest/vr/v2"
    poll_seconds: Annotated[float, BeforeValidator(seconds(0.1, 3600))] = 5.0
    timeout_seconds: Annotated[float, BeforeValidator(seconds(0.1, 300))] = 10.0
    calls_per_minute: Annotated[int, BeforeValidator(whole_number(CALLS_LEAST, 100_000))] = 40

    @field_validator("remote_password")
    @classmethod
    def _both_or_neither(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if "remote_username" not in info.data:
            return value
        if value is None and info.data["remote_username"] is not None:
            raise ValueError("is not set although {remote_username} is: set both or neither")
        if value is not None and info.data["remote_username"] is None:
            raise ValueError("is set although {remote_username} is not: set both or neither")
        return value

    @field_validator("fingerprint")
    @classmethod
    def _one_trust(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("ca_file") is not None:
            raise ValueError("and {ca_file} are both set: keep the one to trust")
        return value
