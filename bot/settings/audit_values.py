"""The settings of the audit trail's witnesses: the key that signs it, and the collector. Each
reader turns a text into a value, or raises ValueError with the rest of a sentence that begins with
the setting's name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.audit_key import audit_key, read_key_file
from bot.settings.values import in_the_clear

KEY_FILE, KEY, URL, BEFORE_ACT = "AUDIT_KEY_FILE", "AUDIT_KEY", "AUDIT_URL", "AUDIT_BEFORE_ACT"


def key_file(text: str) -> Path:
    """A file with the private key, which nobody else may read. Its content is checked, and read
    again where it is needed."""
    path = Path(text)
    try:
        audit_key(read_key_file(path))
    except ValueError as error:
        words = str(error)
        raise ValueError(
            words if words.startswith("names") else f"names {path}, which {words}"
        ) from None
    return path


def key(text: str) -> SecretStr:
    """The private key itself, for a file in SECRETS_DIR."""
    audit_key(text)
    return SecretStr(text)


def url(text: str) -> str:
    """Where the records are posted."""
    text = text.strip()
    try:
        address = urlsplit(text)
        known = address.hostname and address.port != 0 and address.scheme in ("http", "https")
    except ValueError:
        known = None
    if not known or address.username is not None or address.fragment or len(text.split()) > 1:
        raise ValueError(
            "must be an address such as https://collector.example.net/audit, without user, "
            "password or fragment"
        )
    if in_the_clear(address):
        raise ValueError(
            "must begin with https://: http:// is for a collector on this machine alone "
            "(localhost, 127.0.0.1, ::1)"
        )
    return text


def together(given: Mapping[str, str]) -> dict[str, str]:
    """What does not fit together, by the name of the setting: whole sentences."""
    found = {}
    if KEY_FILE in given and KEY in given:
        found[KEY_FILE] = f"{KEY_FILE} and {KEY} are both set: keep one of them."
    http = given.get(BEFORE_ACT, "").strip().lower() == "http"
    if http and URL not in given:
        found[BEFORE_ACT] = f"{BEFORE_ACT} is http, but {URL} is not set: name the collector there."
    for name in (URL, "AUDIT_TOKEN"):
        if name in given and not http:
            found[name] = f"{name} is set, but {BEFORE_ACT} is not http: keep both or neither."
    return found
