"""Ids of requests: short, speakable, unguessable enough to be quoted in chat."""

from __future__ import annotations

import re
import secrets

ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"
"""No vowels (no words by accident), no 0/O, 1/I/L: read aloud over the phone without spelling."""

_FORM = re.compile(rf"^[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}$")


def new_request_id() -> str:
    """For example `K7QM-3XPD`: 28^8, about 38 bits. An id gives no right by itself."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def new_reference() -> str:
    """For an unexpected error: shown to people, and in the log beside the traceback."""
    return secrets.token_hex(4)


def tidy(text: str) -> str | None:
    """What somebody typed as an id, in our form; None when it cannot be one."""
    letters = re.sub(r"[\s-]", "", text).upper()
    candidate = f"{letters[:4]}-{letters[4:]}"
    return candidate if _FORM.match(candidate) else None
