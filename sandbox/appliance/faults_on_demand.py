"""Calls and answers of the simulated appliance, and what goes wrong on demand: answers and wire
faults laid out for calls to come."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

JSON = "application/json"
Wire = Literal["cut_before", "cut_after_accept", "hang"]


@dataclass(frozen=True)
class Request:
    """One call; `path` is decoded and relative to the base path, whole when outside of it."""

    method: str
    path: str
    query: Mapping[str, tuple[str, ...]]
    authorization: str | None
    token: str | None
    remote_address: str
    inside: bool

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
    task_id: str | None = None


@dataclass
class Call:
    """A call as the appliance saw it; one that hangs is completed when it is answered.

    `at`: seconds of the appliance's clock. `status`: None when no status line was sent for it.
    `task_id`: set when the call was accepted as an unpairing, whatever its answer said.
    `is_unpair`: a DELETE on a pairing. Repeated query values are joined by a comma.
    """

    at: float
    method: str
    path: str
    query: dict[str, str]
    status: int | None
    task_id: str | None = None
    is_unpair: bool = False


def refusal(
    status: int,
    code: str,
    message: str,
    headers: Mapping[str, str] | None = None,
    op_id: str | None = None,
) -> Response:
    """An answer with a ResponseError (vendor OpenAPI)."""
    document = {"error_code": code, "message": message, "op_id": op_id or str(uuid.uuid4())}
    return Response(status, document, dict(headers or {}))


# Vendor OpenAPI: these two never carry a body. The others carry a ResponseError.
_EMPTY = (401, 404)
_WORDS = {
    400: ("INVALID_ARGUMENT", "The request is not valid."),
    403: ("NO_PERMISSION", "Permission to perform this operation was denied."),
    429: ("TOO_MANY_REQUESTS", "Too many requests."),
    500: ("INTERNAL_ERROR", "An unexpected error occurred."),
    503: ("SERVICE_UNAVAILABLE", "The service is starting."),
    504: ("GATEWAY_TIMEOUT", "The service did not answer in time."),
}
_PROXY_PAGE = (
    "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
)


@dataclass(frozen=True)
class Answer:
    """What one call shall get.

    `status`: None, or 2xx without a `body`, is what the appliance would have said by itself, and
    then the call has its ordinary effect. Any other status comes from in front of the appliance:
    the call has no effect unless `accept_first`, which lets the call have its whole effect first
    and then gives this answer, or loses it. `body` replaces the ResponseError.

    `wire` is what happens to the bytes:
    - `cut_before`: the connection ends without an answer and without an effect;
    - `cut_after_accept`: the call has its effect, then the connection ends without an answer;
    - `hang`: no answer until release_hanging() or stop(). Without `accept_first` the call has its
      effect only when released, which is the late acceptance that a client with a timeout meets.
    """

    status: int | None = None
    error_code: str | None = None
    message: str | None = None
    op_id: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | bytes | None = None
    accept_first: bool = False
    wire: Wire | None = None

    @property
    def is_ordinary(self) -> bool:
        """Whether the appliance itself is to answer."""
        if self.status is None:
            return True
        return 200 <= self.status < 300 and self.body is None

    @property
    def has_effect(self) -> bool:
        """Whether the call does what it asks for, before its answer is given or lost."""
        if self.accept_first or self.wire == "cut_after_accept":
            return True
        return self.is_ordinary and self.wire not in ("cut_before", "hang")

    def response(self) -> Response:
        """This answer, where it is not the appliance's own."""
        status = self.status or 500
        headers = dict(self.headers)
        if self.body is not None:
            raw = self.body.encode() if isinstance(self.body, str) else self.body
            kind = "text/html" if raw.startswith(b"<") else JSON
            return Response(status, headers=headers, raw=raw, content_type=kind)
        if status in _EMPTY or status < 400:
            return Response(status, headers=headers)
        if status == 502 and self.error_code is None and self.message is None:
            raw = _PROXY_PAGE.encode()
            return Response(status, headers=headers, raw=raw, content_type="text/html")
        code, message = _WORDS.get(status, ("UNKNOWN", f"Answered with {status}."))
        code = code if self.error_code is None else self.error_code
        message = message if self.message is None else self.message
        return refusal(status, code, message, headers, self.op_id)


@dataclass
class Rule:
    """An answer for the next calls of this kind: `left` of them, or all."""

    method: str
    path_prefix: str
    answer: Answer
    left: int | None

    def fits(self, request: Request) -> bool:
        return self.method in ("*", request.method) and request.path.startswith(self.path_prefix)
