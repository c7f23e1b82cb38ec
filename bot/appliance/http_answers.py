"""What each HTTP answer means, to the DELETE and to every other call: `MEANS` is the table.

401 and 404 have no body in this API; 400, 403 and 500 carry a ResponseError (vendor OpenAPI).
A proxy on the way may answer anything, so the status never proves what the body is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from bot.appliance.call_errors import Call, CallError, GatewaysNotFound
from bot.appliance.models import (
    READ_LENGTH_MAX,
    WORDS_LENGTH_MAX,
    Found,
    Unreadable,
    as_text,
)
from bot.request.problem import ProblemKind

MEANS = {
    400: ProblemKind.REFUSED,
    401: ProblemKind.UNAUTHORIZED,
    403: ProblemKind.REFUSED,
    404: ProblemKind.NOT_FOUND,
    429: ProblemKind.LIMITED,
    500: ProblemKind.SERVER_ERROR,
    503: ProblemKind.UNAVAILABLE,
}
"""By status. Two have a condition: a 404 counts only as the application's own answer about the very
pairing or task of the call, and a 503 only with a Retry-After that can be read. Without, and for
every other status (a redirect, 408, 502, 504 …) it is NOT_UNDERSTOOD, after which a DELETE may have
been carried out. 200 and 202 with a body of another shape are that too. What follows from a kind is
decided in `bot.request.after_delete`."""

NOT_ACCEPTED = frozenset(
    {
        ProblemKind.TOO_LATE,
        ProblemKind.UNSENT,
        ProblemKind.UNAUTHORIZED,
        ProblemKind.LIMITED,
        ProblemKind.UNAVAILABLE,
    }
)
"""After these the DELETE may be sent again: the appliance has provably not accepted it."""

OF_THE_APPLICATION = frozenset({400, 403, 404, 500})
"""Whoever answers so knows the session."""

RETRY_AFTER_MAX_SECONDS = 3600  # people do not wait longer for the bot's answer in a chat

VALUES_MAX = 250_000
"""Of one answer. A page of 500 replications has some 20,000. Eight million bytes of empty objects
would otherwise become 200 MB."""

T = TypeVar("T")


class Redactor:
    """Removes secrets from what a server sent: an error may repeat the request's headers."""

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
    """A whole HTTP answer to a call."""

    def __init__(
        self,
        call: Call,
        host: str,
        status: int,
        headers: Mapping[str, str],
        redact: Redactor,
        body: bytearray,
    ) -> None:
        self.status = status
        self.size = len(body)
        self._call = call
        self._host = host
        self._headers = headers
        self._redact = redact
        self._empty = not body.strip()
        self._found: object = None
        self._broken = True
        # There are no more values than these signs and one.
        if sum(map(body.count, (b",", b"[", b"{"))) <= VALUES_MAX:
            try:
                self._found, self._broken = json.loads(body.decode("utf-8-sig")), False
            except (ValueError, RecursionError):
                return

    def __repr__(self) -> str:
        # Without the body: a log-in's holds the session id.
        return f"Answer({self._call}: {self.status})"

    def json(self) -> object:
        """The body as JSON. Raises NOT_UNDERSTOOD."""
        if self._broken:
            raise self.not_understood("with a body that is not JSON")
        return self._found

    def read(self, read: Callable[[Found], T]) -> T:
        """What `read` makes of the body. Raises NOT_UNDERSTOOD, naming the field that is wrong."""
        return self.shape(read, self.json())

    def shape(self, read: Callable[[Found], T], value: object) -> T:
        """The same of a part of the body."""
        missing = "object"
        if isinstance(value, dict):
            try:
                return read(value)
            except Unreadable as exc:
                missing = str(exc)
        # A traceback with variables must show no more than the error does.
        del value
        raise self.not_understood(f"without a usable {missing}")

    def not_understood(self, what: str) -> CallError:
        """The error for an answer that this API would not give."""
        return CallError(
            ProblemKind.NOT_UNDERSTOOD,
            f"{self._host} answered {self._call} {what} (HTTP {self.status}); that is not an"
            " answer of this API.",
            status=self.status,
        )

    def error(self) -> CallError:
        """The error for a status other than the expected one."""
        status, host, call = self.status, self._host, self._call
        said, self._found = self._found, None  # an error lives longer than a large body should
        kind = MEANS.get(status, ProblemKind.NOT_UNDERSTOOD)
        wait: float | None = None
        match status:
            case 401:
                sentence = f"{host} says that {call} is not authorised: the session has ended."
            case 404 if call.about_one and not self._empty and call.method != "DELETE":
                return GatewaysNotFound(
                    ProblemKind.NOT_UNDERSTOOD,
                    f"{host} answered {call} with 404, in words that are not its own:"
                    " probably a gateway's, while the service behind it starts.",
                    status=status,
                )
            case 404:
                kind = kind if call.about_one else ProblemKind.NOT_UNDERSTOOD
                sentence = f"{host} has nothing at {call.path}."
            case 429:
                wait = retry_after(self._headers)
                sentence = f"{host} says that it was called too often."
            case 503 if (wait := retry_after(self._headers)) is not None:
                sentence = f"{host} is not available for now; it asks to come back in {wait:.0f} s."
            case _ if kind in {ProblemKind.REFUSED, ProblemKind.SERVER_ERROR}:
                sentence = f"{host} refused {call} (HTTP {status})."
            case _ if 300 <= status < 400:
                return self.not_understood("with a redirect, which is not followed,")
            case _:
                return self.not_understood("unexpectedly")
        error = CallError(kind, sentence, status=status, retry_after_seconds=wait)
        if isinstance(said, dict) and status not in {401, 404}:
            # The ResponseError. Secrets first: a cut through one would leave the half of it.
            code, words, op_id = (
                self._redact(as_text(said.get(name), READ_LENGTH_MAX) or "") or None
                for name in ("error_code", "message", "op_id")
            )
            error.error_code, error.op_id = as_text(code), as_text(op_id)
            error.message = as_text(words, WORDS_LENGTH_MAX)
        return error


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from a Retry-After header (RFC 9110, 10.2.3), or None if it cannot be read.

    A date is compared with the answer's own Date header, never with our clock: the appliance's may
    differ from it by any amount. The result is always from 0 to RETRY_AFTER_MAX_SECONDS.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        # Nine digits are enough: they are above the limit, and Python refuses to convert thousands.
        return float(min(int(text[:9]), RETRY_AFTER_MAX_SECONDS))
    then, now = _date(text), _date(headers.get("Date", ""))
    if then is None or now is None:
        return None
    return min(max((then - now).total_seconds(), 0.0), float(RETRY_AFTER_MAX_SECONDS))


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    # "-0000" gives a time without a zone, which cannot be subtracted from one that has a zone.
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
