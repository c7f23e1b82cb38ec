"""Reads the appliance's answers, tolerantly, straight into the request's own models.

Source of every field: the vendor's OpenAPI of the vSphere Replication REST API 2.0.0. Only what is
read here is named; unknown fields are ignored and unknown enum values stay plain strings, so that a
newer appliance does not break the bot.

People decide about a pairing by what is read here. One name of the wrong type must not make all
replications unreadable, so optional fields become readable text, a number or `None`. Ids are the
exception: an id that is not plainly one makes the whole answer unreadable, because acting on a
guessed id is the worst thing this program could do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from bot.request.pairing import NAME_KEPT, IssueLine, Pairing, Replication, Server
from bot.request.task import TaskView

INT64_MAX = 2**63 - 1  # what the vendor's int64 and a database column can hold
ID_LENGTH_MAX = 255  # more than twice any id seen; limits the URL made of it, and what is stored
HEADER_LENGTH_MAX = 4_096  # servers refuse all headers together above some 8,000

TEXT_LENGTH_MAX = 300
"""Of names, and of lines such as an issue: of none more is shown."""
WORDS_LENGTH_MAX = 2_500
"""Of what the appliance says of an error, which is shown up to 2,400."""

READ_LENGTH_MAX = 4 * WORDS_LENGTH_MAX
"""Of any text before secrets are removed from it: a secret that this cut goes through is beyond
what is kept."""

SITE_RECOVERY = "com.vmware.vcDr"
"""`recovery_solution` begins with it when Site Recovery Manager protects the replication (seen in
the vendor's own client scripts)."""

Found = Mapping[str, object]
"""A JSON object of an answer."""


class Unreadable(Exception):
    """An answer without something that it must have; the text names the field."""


# ---- one value -------------------------------------------------------------------------------


def clean(text: str) -> str:
    """The text without anything that could not be stored later.

    JSON may hold lone surrogates, which have no UTF-8 form, and NUL, which PostgreSQL refuses in
    text. Either would make each commit of the request fail, so it would never get any further.
    """
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\ufffd")


def as_text(value: object, most: int = TEXT_LENGTH_MAX) -> str | None:
    """The beginning of a text, or of the JSON of anything else; null as `None`. Cut: a name of two
    megabytes would go with its request wherever that goes."""
    if value is None:
        return None
    if isinstance(value, str):
        return clean(value[:most])
    try:
        return clean(json.dumps(value, ensure_ascii=False, separators=(",", ":"))[:most])
    except (TypeError, ValueError, RecursionError):
        return None


def as_whole(value: object) -> int | None:
    """A whole number from a number or its digits, otherwise `None`. True does not count as 1."""
    # Text longer than that is no int64, and Python refuses to convert thousands of digits.
    if isinstance(value, bool) or (isinstance(value, str) and len(value) > 20):
        return None
    if not isinstance(value, int | float | str):
        return None
    try:
        number = int(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) <= INT64_MAX else None


def usable_id(value: object) -> bool:
    """Whether this is an id that can be put into a path safely.

    `.` and `..` are the dangerous ones: after URL normalisation `/pairings/.` would mean the whole
    collection, and `/pairings/..` something else altogether.
    """
    if not isinstance(value, str) or len(value) > ID_LENGTH_MAX or value in {".", ".."}:
        return False
    return bool(value.strip()) and value.isprintable() and clean(value) == value


def _id(found: Found, name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not usable_id(value):
        raise Unreadable(name)
    return value


# ---- one object of an answer: each may raise Unreadable -------------------------------------


def server(found: object) -> Server:
    """A vCenter Server or a replication management server (ServerInfo), also of `GET /info`."""
    if not isinstance(found, Mapping):
        return Server()
    return Server(
        id=as_text(found.get("id")),
        name=as_text(found.get("name")),
        status=as_text(found.get("server_status")),
        version=as_text(found.get("version")),
    )


def pairing(found: Found) -> Pairing:
    """A pairing of two sites (Pairing). It has no name and no status of its own."""
    return Pairing(
        id=_id(found, "pairing_id"),
        local_vc=server(found.get("local_vc_server")),
        remote_vc=server(found.get("remote_vc_server")),
        local_vrms=server(found.get("local_vrms")),
        remote_vrms=server(found.get("remote_vrms")),
    )


def replication(found: Found) -> Replication:
    """One replicated virtual machine (ReplicationInfo)."""
    its_id = _id(found, "id")
    solution = found.get("recovery_solution")
    text = "" if solution is None else solution  # null where there is no plan
    protected = text.startswith(SITE_RECOVERY) if isinstance(text, str) else None
    name = as_text(found.get("name"), NAME_KEPT) or its_id[:NAME_KEPT]
    return Replication(id=its_id, name=name, protected=protected)


def issue(found: Found) -> IssueLine:
    """A problem that the appliance reports (IssueInfo)."""
    return IssueLine(
        entity=as_text(found.get("entity_name")),
        description=as_text(found.get("description")),
        status=as_text(found.get("status")),
    )


def task(found: Found) -> TaskView:
    """A long-running operation (Task). Its error (TaskError) can be missing even at ERROR, and is
    worth showing in whatever form it comes."""
    its_id = _id(found, "id")
    status = found.get("status")
    if not isinstance(status, str) or not 0 < len(status) <= TEXT_LENGTH_MAX:
        raise Unreadable("status")
    if not status.strip() or clean(status) != status:
        raise Unreadable("status")
    percent = as_whole(found.get("progress"))
    error = found.get("error")
    told = error if isinstance(error, Mapping) else {"message": error}
    return TaskView(
        id=its_id,
        status=status,
        progress=None if percent is None else max(0, min(100, percent)),
        entity=as_text(found.get("entity")),
        description=as_text(found.get("description")),
        error_message=as_text(told.get("message"), WORDS_LENGTH_MAX),
        error_details=as_text(told.get("details"), WORDS_LENGTH_MAX),
    )


def count(found: Found) -> int:
    """A number of things (CountData)."""
    value = found.get("count")
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= INT64_MAX:
        raise Unreadable("count")
    return value


def session_id(found: Found) -> str:
    """The answer to a log-in (SessionIdData): what can be a header's value."""
    value = found.get("session_id")
    if not isinstance(value, str) or not value.strip() or len(value) > HEADER_LENGTH_MAX:
        raise Unreadable("session_id")
    if not value.isascii() or not value.isprintable():
        raise Unreadable("session_id")
    return value
