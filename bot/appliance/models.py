"""What the appliance answers, as frozen pydantic models.

Source of every field: the vendor's OpenAPI of the vSphere Replication REST API 2.0.0, schema of
the same name. Only the fields that are read here are listed; an issue has no id, so it also has
those that tell it from another one. Unknown fields are ignored and unknown enum values stay plain
strings, so that a newer appliance does not break the bot. Times are epoch milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Generic, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
)

from bot.appliance.tolerant import (
    INT64_MAX,
    Id,
    Millis,
    Percent,
    Text,
    Word,
    Words,
    as_object,
    as_text,
)

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
