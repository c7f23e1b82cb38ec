"""A call to the appliance, and what came of it: `MEANS` is the table of what each HTTP answer
means, to the DELETE and to every other call; `unanswered` says what it means that none came.

There is one error, `CallError`, with the kind of the problem that it is (`bot.request.problem`).
`str(error)` is a sentence for people. No error holds a password, a session id or a header with
one in it, and none is chained to a library's error that does.

401 and 404 have no body in this API; 400, 403 and 500 carry a ResponseError (vendor OpenAPI).
A proxy on the way may answer anything, so the status never proves what the body is.
"""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import quote

from urllib3.exceptions import NameResolutionError, ReadTimeoutError
from urllib3.exceptions import SSLError as Urllib3SSLError

from bot.appliance.models import (
    READ_LENGTH_MAX,
    WORDS_LENGTH_MAX,
    Found,
    Unreadable,
    as_text,
    usable_id,
)
from bot.appliance.tls import proxy_of
from bot.request.problem import Problem, ProblemKind

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

DETAIL_LENGTH_MAX = 200  # of a library's words

T = TypeVar("T")


@dataclass(eq=False)
class CallError(Exception):
    """`status` is that of the HTTP answer, if there was one. `retry_after_seconds` is how long to
    wait before the next try, if that is known. `error_code`, `message` and `op_id` are the
    appliance's own, as they came (vendor OpenAPI, ResponseError); support asks for `op_id`.
    """

    kind: ProblemKind
    sentence: str
    _: KW_ONLY
    status: int | None = None
    retry_after_seconds: float | None = None
    error_code: str | None = None
    message: str | None = None
    op_id: str | None = None

    def __str__(self) -> str:
        return self.sentence

    def problem(self, now: int) -> Problem:
        """What went wrong, as everybody but this folder knows it; `now` in ms epoch."""
        wait = self.retry_after_seconds
        return Problem(
            kind=self.kind,
            text=self.sentence,
            status=self.status,
            error_code=self.error_code,
            message=self.message,
            op_id=self.op_id,
            retry_at=None if wait is None else now + int(wait * 1000) + 1,
        )


class TlsFailed(CallError):
    """Not sent: the TLS handshake failed, or the server is not the one that is trusted."""


class GatewaysNotFound(CallError):
    """A 404 with a body, which this API never sends, to a question about a pairing or a task:
    probably of a gateway, while the service behind it starts. It says nothing of either."""


@dataclass(frozen=True)
class Call:
    """One call. `template` is for metrics (`/pairings/{pairing_id}`), `path` has the ids in it."""

    method: str
    template: str
    path: str
    query: Mapping[str, str]

    @classmethod
    def of(
        cls, method: str, template: str, query: Mapping[str, str] | None = None, **ids: str
    ) -> Call:
        """A call with quoted ids. Raises NOT_FOUND for an id that nothing can have."""
        if not all(map(usable_id, ids.values())):
            raise CallError(ProblemKind.NOT_FOUND, "Nothing on the appliance can have this id.")
        # Colons and slashes too: an id must stay one part of the path, whatever is in it.
        quoted = {name: quote(value, safe="") for name, value in ids.items()}
        return cls(method, template, template.format(**quoted), query or {})

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Redactor:
    """Removes secrets from what a server sent: an error may repeat the request's headers. It is an
    object without a readable repr, so that a traceback with variables shows none."""

    LENGTH_MIN = 4  # anything shorter would blank out parts of ordinary words

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        # Longest first: if one secret contains another, no part of it is left over.
        found = (each for each in secrets if len(each) >= self.LENGTH_MIN)
        self._secrets = sorted(found, key=len, reverse=True)

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
        # Whether the application's own 404 says that the pairing or task itself is not there.
        about_one = call.template.endswith("_id}")
        match status:
            case 401:
                sentence = f"{host} says that {call} is not authorised: the session has ended."
            case 404 if about_one and not self._empty and call.method != "DELETE":
                return GatewaysNotFound(
                    ProblemKind.NOT_UNDERSTOOD,
                    f"{host} answered {call} with 404, in words that are not its own:"
                    " probably a gateway's, while the service behind it starts.",
                    status=status,
                )
            case 404:
                kind = kind if about_one else ProblemKind.NOT_UNDERSTOOD
                sentence = f"{host} has nothing at {call.path}."
            case 429:
                wait = retry_after(self._headers)
                sentence = f"{host} says that it was called too often."
            case 503 if (wait := retry_after(self._headers)) is not None:
                sentence = f"{host} is not available for now; it asks to come back in {wait:.0f} s."
            case _ if kind in {ProblemKind.REFUSED, ProblemKind.SERVER_ERROR}:
                sentence = f"{host} refused {call} (HTTP {status})."
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
    try:
        then, now = (
            parsedate_to_datetime(headers.get(name, "")).replace(tzinfo=None)  # it is always GMT
            for name in ("Retry-After", "Date")
        )
    except (ValueError, IndexError, OverflowError):
        return None
    return min(max((then - now).total_seconds(), 0.0), float(RETRY_AFTER_MAX_SECONDS))


def not_in_time(host: str, call: Call, kind: ProblemKind) -> CallError:
    """The error for a call that was not made, since its time was over before."""
    return CallError(kind, f"{call} could not be sent to {host} in time.")


def unanswered(
    exc: BaseException, call: Call, host: str, *, sent: bool, status: int | None
) -> CallError:
    """Our error for `exc`, not chained to it because its request holds the credentials."""
    chain = list(_chain(exc))

    def has(*kinds: type[BaseException]) -> bool:
        return any(isinstance(found, kinds) for found in chain)

    error, kind, also = CallError, ProblemKind.UNSENT, "this DELETE was not sent"
    proxy = proxy_of(host)
    if sent:
        kind, also = ProblemKind.UNANSWERED, "it is not known whether the appliance has acted on it"
        # RemoteDisconnected and IncompleteRead mean a cut connection. All other HTTPExceptions mean
        # that the answer was not HTTP.
        cut = http.client.RemoteDisconnected, http.client.IncompleteRead
        if any(isinstance(e, http.client.HTTPException) and not isinstance(e, cut) for e in chain):
            words = f"{host} answered {call} with something that is not this API's."
            return CallError(ProblemKind.NOT_UNDERSTOOD, words, status=status)
        words = f"The connection to {host} ended before the answer to {call} was complete"
        if has(TimeoutError, ReadTimeoutError):
            words = f"{host} did not answer {call} in time"
    elif has(NameResolutionError):
        # With a proxy, we look up only the proxy's name, and the proxy looks up the appliance's. If
        # the words blamed the appliance's name, people would search in the wrong place.
        name = f"of the proxy {proxy} on the way to {host}" if proxy else host
        words = f"The name {name} could not be looked up"
    elif has(ssl.SSLError, Urllib3SSLError):
        error = TlsFailed
        words = f"{host} is not the server that is trusted, or TLS failed ({_detail(chain)})"
    else:
        through = f" through the proxy {proxy}" if proxy else ""
        words = f"No connection to {host}{through} ({_detail(chain)})"
    # Of a DELETE only. The words of a look that fails after the DELETE stand in the final reply,
    # and people would take them for news about the DELETE.
    words = f"{words}; {also}." if call.method == "DELETE" else f"{words}."
    return error(kind, words, status=status)


def _chain(exc: BaseException) -> Iterator[BaseException]:
    """The error and everything it wraps, outermost first. Libraries wrap in many ways."""
    waiting: list[object] = [exc]
    seen: set[int] = set()
    while waiting:
        found = waiting.pop(0)
        if not isinstance(found, BaseException) or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        waiting += [getattr(found, "reason", None), getattr(found, "original_error", None)]
        waiting += [found.__cause__, found.__context__, *found.args]


def _detail(chain: list[BaseException]) -> str:
    """A few words on the cause, from the innermost error that has some."""
    inner = chain[::-1]
    told = [each.verify_message for each in inner if isinstance(each, ssl.SSLCertVerificationError)]
    told += [each.strerror for each in inner if isinstance(each, OSError) and each.strerror]
    told += [" ".join(str(inner[0]).split()), type(inner[0]).__name__]
    return next(words for words in told if words)[:DETAIL_LENGTH_MAX]
