"""Field types that accept wrong values where those do no harm.

People decide about a pairing by what is read here. One name of the wrong type must not make all
replications unreadable, so optional fields become readable text, a number or `None`. Ids are the
exception: an id that is not plainly one makes the whole answer unreadable, because acting on a
guessed id is the worst thing this program could do.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StrictStr

INT64_MAX = 2**63 - 1  # what the vendor's int64 and a database column can hold
ID_LENGTH_MAX = 255  # more than twice any id seen; limits the URL made of it, and what is stored

TEXT_LENGTH_MAX = 300
"""Of names, and of lines such as an issue: of none more is shown."""
WORDS_LENGTH_MAX = 2_500
"""Of what the appliance says of an error, which is shown up to 2,400."""

READ_LENGTH_MAX = 4 * WORDS_LENGTH_MAX
"""Of any text before secrets are removed from it: a secret that this cut goes through is beyond
what is kept."""

# The years 1 to 9999: nothing else can be shown as a date.
_MILLIS_MIN = -62_135_596_800_000
_MILLIS_MAX = 253_402_300_799_999


def clean(text: str) -> str:
    """The text without anything that could not be stored later.

    JSON may hold lone surrogates, which have no UTF-8 form, and NUL, which PostgreSQL refuses in
    text. Either would make each commit of the request fail, so it would never get any further.
    """
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\ufffd")


def as_text(value: object) -> str | None:
    """The beginning of a text, or of the JSON of anything else; null as `None`."""
    if value is None:
        return None
    if isinstance(value, str):
        return clean(value[:READ_LENGTH_MAX])
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return clean(text[:READ_LENGTH_MAX])
    except (TypeError, ValueError, RecursionError):
        return None


def as_name(value: object) -> str | None:
    """Text, cut: a name of two megabytes would go with its request wherever that goes."""
    text = as_text(value)
    return None if text is None else text[:TEXT_LENGTH_MAX]


def as_words(value: object) -> str | None:
    """The same for what the appliance says in sentences."""
    text = as_text(value)
    return None if text is None else text[:WORDS_LENGTH_MAX]


def as_whole(value: object) -> int | None:
    """A whole number from a number or its digits, otherwise `None`. True does not count as 1."""
    number: int
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        number = value
    elif isinstance(value, float):
        if not math.isfinite(value):
            return None
        number = int(value)
    elif isinstance(value, str):
        digits = value.strip()
        # Text longer than that is no int64, and Python refuses to convert thousands of digits.
        if len(digits) > 20 or not digits.removeprefix("-").isascii():
            return None
        if not digits.removeprefix("-").isdigit():
            return None
        number = int(digits)
    else:
        return None
    return number if abs(number) <= INT64_MAX else None


def as_millis(value: object) -> int | None:
    """Epoch milliseconds from a number (v2), its digits, or ISO 8601 text (v1); else `None`.

    A time without a zone is taken for UTC. Times are only shown and never compared with our clock,
    so one that cannot be read is no reason to refuse an answer.
    """
    if isinstance(value, str) and as_whole(value) is None:
        try:
            moment = datetime.fromisoformat(value.strip())
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            millis = round(moment.timestamp() * 1000)
        except (ValueError, OverflowError):
            return None
    else:
        number = as_whole(value)
        if number is None:
            return None
        millis = number
    return millis if _MILLIS_MIN <= millis <= _MILLIS_MAX else None


def as_percent(value: object) -> int | None:
    """A whole number, limited to 0 to 100."""
    number = as_whole(value)
    return None if number is None else max(0, min(100, number))


def as_object(value: object) -> object:
    """A JSON object unchanged, anything else as `None`. For optional nested models."""
    return value if isinstance(value, Mapping) or hasattr(value, "model_fields_set") else None


def usable_id(value: str) -> str:
    """The id itself. Raises ValueError for one that cannot be put into a path safely.

    `.` and `..` are the dangerous ones: after URL normalisation `/pairings/.` would mean the whole
    collection, and `/pairings/..` something else altogether.
    """
    if not value.strip() or value in {".", ".."} or len(value) > ID_LENGTH_MAX:
        raise ValueError("not an id")
    if not value.isprintable() or clean(value) != value:
        raise ValueError("an id holds characters that cannot be printed")
    return value


def known_word(value: str) -> str:
    """An enum value, also one that this version does not know. Raises ValueError if it is none."""
    if not value.strip() or len(value) > TEXT_LENGTH_MAX or clean(value) != value:
        raise ValueError("not a word")
    return value


Text = Annotated[str | None, BeforeValidator(as_name)]
Words = Annotated[str | None, BeforeValidator(as_words)]
Millis = Annotated[int | None, BeforeValidator(as_millis)]
Percent = Annotated[int | None, BeforeValidator(as_percent)]
Id = Annotated[StrictStr, AfterValidator(usable_id)]
Word = Annotated[StrictStr, AfterValidator(known_word)]
