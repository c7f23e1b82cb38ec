"""The ids of requests, and the references of errors, as people say them to one another."""

from __future__ import annotations

import re
import secrets

ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"
"""No vowels, so no words by accident. No 0/O and 1/I/L, so it can be read out over the phone."""

_FORM = re.compile(rf"^[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}$")


def new_request_id() -> str:
    """For example `K7QM-3XPD`: 28^8 ids, about 38 bits. Knowing an id gives nobody any right."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def new_reference() -> str:
    """For an unexpected error: shown to people, and logged with the traceback."""
    return secrets.token_hex(4)


def tidy_id(text: str) -> str | None:
    """What somebody typed as an id, in the usual form. None if it cannot be one."""
    letters = re.sub(r"[\s-]", "", text).upper()
    candidate = f"{letters[:4]}-{letters[4:]}"
    return candidate if _FORM.match(candidate) else None
