"""Turns an HTTP answer into a value or an error.

401 and 404 have no body in this API; 400, 403 and 500 carry a ResponseError (vendor OpenAPI).
A proxy on the way may answer anything, so the status never proves what the body is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from bot.appliance.errors import (
    ApplianceError,
    Limited,
    NotFound,
    NotUnderstood,
    Refused,
    Unauthorized,
    Unavailable,
)
from bot.appliance.models import ResponseError, as_text, clean

EXCERPT_LENGTH_MAX = 300  # enough to recognise a proxy's page
RETRY_AFTER_MAX_SECONDS = 3600  # people do not wait longer for the bot's answer in a chat

# 407 and 408 come from a proxy: the application may or may not have received the request.
_GATEWAY_4XX = frozenset({407, 408})

M = TypeVar("M", bound=BaseModel)


class Redactor:
    """Removes secrets from what a server sent: an error page may repeat the request's headers."""

    LENGTH_MIN = 4  # anything shorter would blank out parts of ordinary words

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        # Longest first: if one secret contains another, no part of it is left over.
        self._secrets = sorted(
            (s for s in secrets if len(s) >= self.LENGTH_MIN), key=len, reverse=True
        )

    def __call__(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return text


@dataclass(frozen=True)
class Answer:
    """A whole HTTP answer to `method` `path` (relative to the base path), made by `of`."""

    method: str
    path: str
    host: str
    status: int
    headers: Mapping[str, str]
    redact: Redactor
    size: int
    begins: bytes
    empty: bool
    found: object
    broken: bool

    @classmethod
    def of(
        cls,
        method: str,
        path: str,
        host: str,
        status: int,
        headers: Mapping[str, str],
        redact: Redactor,
        body: bytearray,
    ) -> Answer:
        """Takes `body` apart, and keeps its beginning alone."""
        size = len(body)
        begins, empty = bytes(body[: EXCERPT_LENGTH_MAX * 8]), not body.strip()
        found, broken = _load(body)
        return cls(method, path, host, status, headers, redact, size, begins, empty, found, broken)

    def __repr__(self) -> str:
        # Without the body: a log-in's holds the session id.
        return f"Answer({self.method} {self.path}: {self.status})"

    def json(self) -> object:
        """The body as JSON. Raises NotUnderstood."""
        if self.broken:
            raise self.not_understood("with a body that is not JSON")
        return self.found

    def read(self, model: type[M]) -> M:
        """The body as a model. Raises NotUnderstood, naming the field that is wrong."""
        return self.shape(model, self.json())

    def shape(self, model: type[M], value: object) -> M:
        """A part of the body as a model. Raises NotUnderstood, naming the field."""
        try:
            return model.model_validate(value)
        except ValidationError as exc:
            field = ".".join(str(part) for part in exc.errors(include_url=False)[0]["loc"])
        # The error shows an excerpt without secrets; a traceback with variables must not show more.
        del value
        raise self.not_understood(f"without a usable {field or 'object'}")

    def excerpt(self) -> str:
        """The beginning of the body: printable, on one line, without secrets."""
        text = self.redact(clean(self.begins.decode("utf-8", "replace")))
        printable = "".join(c if c.isprintable() else " " for c in text)
        return " ".join(printable.split())[:EXCERPT_LENGTH_MAX]

    def not_understood(self, what: str) -> NotUnderstood:
        """The error for an answer that this API would not give."""
        return NotUnderstood(
            f"{self.host} answered {self.method} {self.path} {what} (HTTP {self.status}); that is"
            " not an answer of this API.",
            method=self.method,
            path=self.path,
            status=self.status,
            body_excerpt=self.excerpt(),
        )

    def problem(self) -> ApplianceError:
        """The error for a status other than the expected one."""
        status = self.status
        call = f"{self.method} {self.path}"
        if status == 401:
            return Unauthorized(
                f"{self.host} says that {call} is not authorised: the session has ended.",
                method=self.method,
                path=self.path,
                status=status,
            )
        if status == 404:
            return NotFound(
                f"{self.host} has nothing at {self.path}.",
                method=self.method,
                path=self.path,
                status=status,
                body_excerpt=self.excerpt() or ("" if self.empty else "(no text)"),
            )
        if status == 429:
            return Limited(
                f"{self.host} says that it was called too often.",
                method=self.method,
                path=self.path,
                status=status,
                retry_after_seconds=retry_after(self.headers),
            )
        if status == 503 and (wait := retry_after(self.headers)) is not None:
            return Unavailable(
                f"{self.host} is not available for now; it asks to come back in {wait:.0f} s.",
                method=self.method,
                path=self.path,
                status=status,
                retry_after_seconds=wait,
                response_error=self.response_error(),
            )
        if (400 <= status < 500 and status not in _GATEWAY_4XX) or status == 500:
            return Refused(
                f"{self.host} refused {call} (HTTP {status}).",
                method=self.method,
                path=self.path,
                status=status,
                response_error=self.response_error(),
                body_excerpt=self.excerpt(),
            )
        if 300 <= status < 400:
            return self.not_understood("with a redirect, which is not followed,")
        return self.not_understood("unexpectedly")

    def response_error(self) -> ResponseError | None:
        """The ResponseError in the body, if it holds one; secrets removed."""
        found = self.found
        if not isinstance(found, dict):
            return None
        # Secrets first: a cut through the middle of one would leave the half of it.
        words = {name: as_text(found.get(name)) for name in ResponseError.model_fields}
        said = {name: self.redact(value) for name, value in words.items() if value}
        return ResponseError(**said) if said else None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from a Retry-After header (RFC 9110, 10.2.3), or None if it cannot be read.

    A date is compared with the answer's own Date header, since the appliance's clock may differ
    from ours by any amount, and with our clock only if there is none. The result is always from 0
    to RETRY_AFTER_MAX_SECONDS.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        # Nine digits are enough: they are above the limit, and Python refuses to convert thousands.
        return float(min(int(text[:9]), RETRY_AFTER_MAX_SECONDS))
    then = date(text)
    if then is None:
        return None
    now = date(headers.get("Date", "")) or datetime.now(UTC)
    return min(max((then - now).total_seconds(), 0.0), float(RETRY_AFTER_MAX_SECONDS))


def date(text: str) -> datetime | None:
    """The time in an HTTP header, or None if it cannot be read."""
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    # "-0000" gives a time without a zone, which cannot be subtracted from one that has a zone.
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


VALUES_MAX = 250_000
"""Of one answer. A page of 500 replications has some 20,000. Eight million bytes of empty objects
would otherwise become 200 MB."""

NESTING_MAX = 50
"""How deeply values may stand in each other. The deepest of this API stand in five."""

_VALUE_SIGNS = (b",", b"[", b"{")
"""There are no more values than these signs and one."""

_TEXT_OR_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)


def _load(body: bytearray) -> tuple[object, bool]:
    """The JSON value and False, or None and True if it is not JSON, or more than anybody sends."""
    if sum(map(body.count, _VALUE_SIGNS)) > VALUES_MAX or _nested_too_deeply(body):
        return None, True
    try:
        return json.loads(body.decode("utf-8-sig")), False
    except ValueError:
        return None, True


def _nested_too_deeply(body: bytearray) -> bool:
    depth = 0
    for found in _TEXT_OR_BRACKET.finditer(body):
        sign = body[found.start()]
        depth += (sign in b"[{") - (sign in b"]}")
        if depth > NESTING_MAX:
            return True
    return False
