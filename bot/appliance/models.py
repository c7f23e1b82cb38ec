"""What the appliance answers, as frozen pydantic models.

Source of every field: the vendor's OpenAPI of the vSphere Replication REST API 2.0.0, schema of
the same name. Only the fields that are read here are listed; an issue has no id, so it also has
those that tell it from another one. Unknown fields are ignored and unknown enum values stay plain
strings, so that a newer appliance does not break the bot. Times are epoch milliseconds.

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
from typing import Annotated, Generic, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
)

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


T = TypeVar("T")


class FromAppliance(BaseModel):
    """Base of all models: frozen, and tolerant of fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ServerInfo(FromAppliance):
    """A vCenter Server or a replication management server (vendor OpenAPI, ServerInfo)."""

    id: Text = None
    name: Text = None
    server_status: Text = None
    version: Text = None


class MetaError(FromAppliance):
    """Why an answer is incomplete (vendor OpenAPI, MetaError). `field` is a JSONPath."""

    code: Text = None
    message: Text = None
    field: Text = None


UNREADABLE = MetaError(message="The appliance reported a problem that could not be read.")


class Shortfall(MetaError):
    """Added by us: fewer items were listed than announced. The list may have changed while it was
    read, so this says nothing about the remote site."""


ERRORS_MAX = 100
"""Of one answer. There is one for each server of a pairing that is away, and few are shown."""


def read_meta_errors(meta: Mapping[str, object]) -> tuple[object, ...]:
    """All `errors` of a `_meta` object.

    An entry that cannot be read becomes UNREADABLE. If it were dropped, the person who decides
    would take a partial answer for a complete one.
    """
    found = meta.get("errors")
    if found is None:
        return ()
    if not isinstance(found, list | tuple):
        return (UNREADABLE,)
    read = tuple(entry if isinstance(entry, Mapping) else UNREADABLE for entry in found)
    return read if len(read) <= ERRORS_MAX else (*read[:ERRORS_MAX], UNREADABLE)


MaybeServer = Annotated[ServerInfo | None, BeforeValidator(as_object)]


class Pairing(FromAppliance):
    """A pairing of two sites (vendor OpenAPI, Pairing). It has no name and no status of its own."""

    pairing_id: Id
    local_vc_server: MaybeServer = None
    remote_vc_server: MaybeServer = None
    local_vrms: MaybeServer = None
    remote_vrms: MaybeServer = None


class Replication(FromAppliance):
    """One replicated virtual machine (vendor OpenAPI, ReplicationInfo)."""

    id: Id
    name: Text = None
    recovery_solution: Text = None


class Issue(FromAppliance):
    """A problem that the appliance reports (vendor OpenAPI, IssueInfo). `timestamp` in ms."""

    entity_name: Text = None
    description: Text = None
    timestamp: Millis = None
    status: Text = None
    issue_type: Text = None


class TaskError(FromAppliance):
    """Why a task failed (vendor OpenAPI, TaskError). It can be missing even at ERROR."""

    message: Words = None
    details: Words = None


def _error_object(value: object) -> object:
    if value is None or isinstance(value, Mapping | TaskError):
        return value
    # Whatever form the error has, it is worth showing.
    return {"message": as_text(value)}


class Task(FromAppliance):
    """A long-running operation (vendor OpenAPI, Task). `progress` in percent."""

    id: Id
    status: Word
    description: Text = None
    entity: Text = None
    error: Annotated[TaskError | None, BeforeValidator(_error_object)] = None
    progress: Percent = None


class Info(FromAppliance):
    """The local appliance itself (vendor OpenAPI, VrmsInfo)."""

    name: Text = None
    version: Text = None
    server_status: Text = None


class Count(FromAppliance):
    """A number of things (vendor OpenAPI, CountData)."""

    count: Annotated[StrictInt, Field(ge=0, le=INT64_MAX)]


class ResponseError(FromAppliance):
    """The body of a 400, 403 or 500 (vendor OpenAPI, ResponseError). Support asks for `op_id`."""

    error_code: Text = None
    message: Words = None
    op_id: Text = None


class Listing(FromAppliance, Generic[T]):
    """A whole collection, all pages together.

    `errors` holds the `_meta.errors` of every page, and a Shortfall when the appliance listed
    fewer items than it announced.
    """

    items: tuple[T, ...] = ()
    errors: tuple[MetaError, ...] = ()

    @property
    def partial(self) -> bool:
        """Whether something may be missing, which whoever decides must be told."""
        return bool(self.errors)

    @property
    def said_partial(self) -> bool:
        """Whether the appliance itself says that something is missing."""
        return any(not isinstance(error, Shortfall) for error in self.errors)
