"""Turns an HTTP answer into a value or an error.

401 and 404 have no body in this API; 400, 403 and 500 carry a ResponseError (vendor OpenAPI).
A proxy on the way may answer anything, so the status never proves what the body is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from bot.appliance.errors import (
    ApplianceError,
    Limited,
    NotFound,
    NotUnderstood,
    Refused,
    Unauthorized,
    Unavailable,
)
from bot.appliance.models import (
    READ_LENGTH_MAX,
    WORDS_LENGTH_MAX,
    Found,
    Unreadable,
    as_text,
    clean,
)

EXCERPT_LENGTH_MAX = 300  # enough to recognise a proxy's page
RETRY_AFTER_MAX_SECONDS = 3600  # people do not wait longer for the bot's answer in a chat

# 407 and 408 come from a proxy: the application may or may not have received the request.
_GATEWAY_4XX = frozenset({407, 408})

T = TypeVar("T")
E = TypeVar("E", bound=ApplianceError)


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


class Answer:
    """A whole HTTP answer to `method` `path` (relative to the base path). Takes `body` apart, and
    keeps its beginning alone."""

    def __init__(
        self,
        method: str,
        path: str,
        host: str,
        status: int,
        headers: Mapping[str, str],
        redact: Redactor,
        body: bytearray,
    ) -> None:
        self.method = method
        self.path = path
        self.status = status
        self.size = len(body)
        self._host = host
        self._headers = headers
        self._redact = redact
        self._begins = bytes(body[: EXCERPT_LENGTH_MAX * 8])
        self._empty = not body.strip()
        self._found, self._broken = _load(body)

    def __repr__(self) -> str:
        # Without the body: a log-in's holds the session id.
        return f"Answer({self.method} {self.path}: {self.status})"

    def json(self) -> object:
        """The body as JSON. Raises NotUnderstood."""
        if self._broken:
            raise self.not_understood("with a body that is not JSON")
        return self._found

    def read(self, read: Callable[[Found], T]) -> T:
        """What `read` makes of the body. Raises NotUnderstood, naming the field that is wrong."""
        return self.shape(read, self.json())

    def shape(self, read: Callable[[Found], T], value: object) -> T:
        """The same of a part of the body."""
        missing = "object"
        if isinstance(value, dict):
            try:
                return read(value)
            except Unreadable as exc:
                missing = str(exc)
        # The error shows an excerpt without secrets; a traceback with variables must not show more.
        del value
        raise self.not_understood(f"without a usable {missing}")

    def excerpt(self) -> str:
        """The beginning of the body: printable, on one line, without secrets."""
        text = self._redact(clean(self._begins.decode("utf-8", "replace")))
        printable = "".join(c if c.isprintable() else " " for c in text)
        return " ".join(printable.split())[:EXCERPT_LENGTH_MAX]

    def not_understood(self, what: str) -> NotUnderstood:
        """The error for an answer that this API would not give."""
        sentence = (
            f"{self._host} answered {self.method} {self.path} {what} (HTTP {self.status}); that is"
            " not an answer of this API."
        )
        return self._error(NotUnderstood, sentence, body_excerpt=self.excerpt())

    def error(self) -> ApplianceError:
        """The error for a status other than the expected one."""
        status, host = self.status, self._host
        call = f"{self.method} {self.path}"
        if status == 401:
            sentence = f"{host} says that {call} is not authorised: the session has ended."
            return self._error(Unauthorized, sentence)
        if status == 404:
            excerpt = self.excerpt() or ("" if self._empty else "(no text)")
            sentence = f"{host} has nothing at {self.path}."
            return self._error(NotFound, sentence, body_excerpt=excerpt)
        if status == 429:
            wait = retry_after(self._headers)
            sentence = f"{host} says that it was called too often."
            return self._error(Limited, sentence, retry_after_seconds=wait)
        if status == 503 and (wait := retry_after(self._headers)) is not None:
            sentence = f"{host} is not available for now; it asks to come back in {wait:.0f} s."
            return self._with_words(
                self._error(Unavailable, sentence, retry_after_seconds=wait),
            )
        if (400 <= status < 500 and status not in _GATEWAY_4XX) or status == 500:
            sentence = f"{host} refused {call} (HTTP {status})."
            return self._with_words(self._error(Refused, sentence, body_excerpt=self.excerpt()))
        if 300 <= status < 400:
            return self.not_understood("with a redirect, which is not followed,")
        return self.not_understood("unexpectedly")

    def _error(
        self,
        kind: type[E],
        sentence: str,
        *,
        body_excerpt: str = "",
        retry_after_seconds: float | None = None,
    ) -> E:
        return kind(
            sentence,
            method=self.method,
            path=self.path,
            status=self.status,
            body_excerpt=body_excerpt,
            retry_after_seconds=retry_after_seconds,
        )

    def _with_words(self, error: ApplianceError) -> ApplianceError:
        """With the ResponseError in the body, if it holds one; secrets removed."""
        if isinstance(found := self._found, dict):
            # Secrets first: a cut through the middle of one would leave the half of it.
            code, words, op_id = (
                self._redact(as_text(found.get(name), READ_LENGTH_MAX) or "") or None
                for name in ("error_code", "message", "op_id")
            )
            error.error_code, error.op_id = as_text(code), as_text(op_id)
            error.message = as_text(words, WORDS_LENGTH_MAX)
        return error


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
