"""What comes in, what goes out, and what is remembered of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

JSON = "application/json"


@dataclass(frozen=True)
class Request:
    """One call; `path` is decoded and relative to the base path, whole when outside of it."""

    method: str
    path: str
    query: Mapping[str, tuple[str, ...]]
    authorization: str | None
    token: str | None
    remote_address: str
    inside: bool = True

    @classmethod
    def parse(
        cls,
        method: str,
        target: str,
        base_path: str,
        *,
        authorization: str | None,
        token: str | None,
        remote_address: str,
    ) -> Request:
        parts = urlsplit(target)
        path, inside = parts.path, False
        if path.startswith(base_path + "/"):
            path, inside = path[len(base_path) :], True
        query = {
            name: tuple(values)
            for name, values in parse_qs(parts.query, keep_blank_values=True).items()
        }
        return cls(method, unquote(path), query, authorization, token, remote_address, inside)

    @property
    def is_unpair(self) -> bool:
        """Whether this is the one call that breaks a pairing."""
        rest = self.path.removeprefix("/pairings/")
        return self.method == "DELETE" and self.inside and rest not in (self.path, "")


@dataclass
class Response:
    """One answer; the body is `document` as JSON, or `raw` as it is, or nothing."""

    status: int
    document: Mapping[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    content_type: str = JSON
    session_seq: int | None = None
    task_id: str | None = None


@dataclass(frozen=True)
class Call:
    """A call as the appliance saw it.

    `at`: seconds of the appliance's clock. `status`: None when no status line was sent for it.
    `task_id`: set when the call was accepted as an unpairing, whatever its answer said.
    `op_id`: the one of the ResponseError that was sent. `is_unpair`: a DELETE on a pairing.
    Repeated query values are joined by a comma.
    """

    at: float
    method: str
    path: str
    query: dict[str, str]
    status: int | None
    session_seq: int | None
    remote_address: str
    task_id: str | None = None
    op_id: str | None = None
    is_unpair: bool = False


def refusal(status: int, code: str, message: str, op_id: str, **headers: str) -> Response:
    """An answer with a ResponseError (vendor OpenAPI); header names write `_` for `-`."""
    return Response(
        status,
        {"error_code": code, "message": message, "op_id": op_id},
        {name.replace("_", "-"): value for name, value in headers.items()},
    )
