"""Everything that can go wrong with a call to the appliance, and the problem that it is.

The classes answer the one question that matters after a DELETE: may it have been received?

    ApplianceError
    ├─ HeldBack              the bot held itself back; nothing was sent
    │  ├─ OverBudget         its own limit of calls per minute is used up
    │  └─ LoginRest          log-ins pause, so that SSO does not lock the account
    │     └─ Unproven        none was refused: how the last two ended is not known
    ├─ NotSent               provably nothing reached the application
    │  ├─ NameLookupFailed
    │  ├─ ConnectFailed      the appliance's port, or the proxy on the way
    │  ├─ TlsFailed          not the server that is trusted
    │  ├─ TooLate            it was not sent by the time it had to be
    │  └─ NoSession          the session that the call was prepared with is gone
    ├─ Unanswered            it may have been received and carried out
    │  ├─ TimedOut
    │  └─ ConnectionCut
    └─ Answered              there is an HTTP answer
       ├─ Refused            400, 403, 500 and other errors of the application
       ├─ Unauthorized       401: the session has ended, or has no right
       ├─ LoginRefused       401 or 403 at a log-in, local or remote
       ├─ NotFound           404
       │  ├─ NoSuchPairing   to a question about this pairing, or its DELETE
       │  └─ NoSuchTask      to a question about this task
       ├─ Limited            429
       ├─ Unavailable        503 that says when to try again
       └─ NotUnderstood      a redirect, a gateway's error, HTML, broken JSON, a wrong shape
          └─ GatewaysNotFound   a 404 with a body, to a question about a pairing or a task

`str(error)` is a sentence for people. No error holds a password, a session id or a header with
one in it, and none is chained to a library's error that does.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator
from typing import Literal

from urllib3.exceptions import (
    NameResolutionError,
    ReadTimeoutError,
)
from urllib3.exceptions import SSLError as Urllib3SSLError

from bot.appliance.tls import proxy_of
from bot.request.problem import Problem, ProblemKind


class ApplianceError(Exception):
    """Base of the tree.

    `method` and `path` are the call's, if one was made, with the path relative to the base path.
    `status` is that of the HTTP answer, if there was one. `retry_after_seconds` is how long to wait
    before the next try, if that is known. `error_code`, `message` and `op_id` are the appliance's
    own, as they came (vendor OpenAPI, ResponseError); support asks for `op_id`.
    """

    _kind = ProblemKind.NOT_UNDERSTOOD

    def __init__(
        self,
        sentence: str,
        *,
        method: str | None = None,
        path: str | None = None,
        status: int | None = None,
        retry_after_seconds: float | None = None,
        error_code: str | None = None,
        message: str | None = None,
        op_id: str | None = None,
        body_excerpt: str = "",
    ) -> None:
        # Only the sentence is in args: copy and pickle call the class with args, and take the other
        # fields from __dict__.
        super().__init__(sentence)
        self.method = method
        self.path = path
        self.status = status
        self.retry_after_seconds = retry_after_seconds
        self.error_code = error_code
        self.message = message
        self.op_id = op_id
        self.body_excerpt = body_excerpt

    @property
    def kind(self) -> ProblemKind:
        return self._kind

    def problem(self, now: int) -> Problem:
        """What went wrong, as everybody but this folder knows it; `now` in ms epoch."""
        wait = self.retry_after_seconds
        return Problem(
            kind=self.kind,
            text=str(self),
            status=self.status,
            error_code=self.error_code,
            message=self.message,
            op_id=self.op_id,
            retry_at=None if wait is None else now + int(wait * 1000) + 1,
        )


class HeldBack(ApplianceError):
    """The bot did not call; `retry_after_seconds` says when it may."""


class OverBudget(HeldBack):
    """The calls per minute that this priority may use are used up."""

    _kind = ProblemKind.OVER_BUDGET


class LoginRest(HeldBack):
    """Log-ins pause for a while."""

    _kind = ProblemKind.LOGIN_REST


class Unproven(LoginRest):
    """It is not known how the last two log-ins ended: neither a refusal nor a call that worked
    afterwards was stored. Mostly the processes that made them were killed, or another copy is about
    to make that call."""

    _kind = ProblemKind.UNPROVEN


class NotSent(ApplianceError):
    """Provably not one byte of the request reached the application."""

    _kind = ProblemKind.UNSENT


class NameLookupFailed(NotSent):
    """The host name has no address."""


class ConnectFailed(NotSent):
    """No connection, directly or through the proxy."""


class TlsFailed(NotSent):
    """The TLS handshake failed, or the server is not the one that is trusted."""


class TooLate(NotSent):
    """The request had to be sent by a certain time, and was not."""

    _kind = ProblemKind.TOO_LATE


class NoSession(NotSent):
    """The session that the call was prepared with is gone, and this call may not log in."""


class Unanswered(ApplianceError):
    """The request may have been received: look before repeating anything."""

    _kind = ProblemKind.UNANSWERED


class TimedOut(Unanswered):
    """No complete answer in time."""


class ConnectionCut(Unanswered):
    """The connection ended before a complete answer."""


class Answered(ApplianceError):
    """An HTTP answer other than the expected one."""


class Refused(Answered):
    """The application said no, in its own words or in those of `body_excerpt`."""

    @property
    def kind(self) -> ProblemKind:
        # These are the vendor's refusals (OpenAPI, DELETE /pairings/{id}); others are none of them.
        if self.status in {400, 403}:
            return ProblemKind.REFUSED
        return ProblemKind.SERVER_ERROR if self.status == 500 else ProblemKind.NOT_UNDERSTOOD


class Unauthorized(Answered):
    """401: the session has ended or never had the right. The appliance sends no body."""

    _kind = ProblemKind.UNAUTHORIZED


class LoginRefused(Answered):
    """A log-in was refused: `which` site's user. Wrong password, locked, or no right."""

    _kind = ProblemKind.LOGIN_REFUSED
    which: Literal["local", "remote"] = "local"


class NotFound(Answered):
    """404. This API sends it without a body: `body_excerpt` hints at a gateway's."""


class NoSuchPairing(NotFound):
    """The application's own 404 about a pairing. No other 404 counts, such as a log-in's or a
    gateway's: if it were taken for "gone", the bot would report a deletion that did not happen. Nor
    is this one the proof: the list of pairings has to agree (`bot.request.pairing.Presence`)."""

    _kind = ProblemKind.NOT_FOUND


class NoSuchTask(NotFound):
    """The application's own 404 about a task: it has forgotten it."""


class Limited(Answered):
    """429. `retry_after_seconds` is None if no header gave it."""

    _kind = ProblemKind.LIMITED


class Unavailable(Answered):
    """503 with a readable Retry-After: the request was not carried out, try again later."""

    _kind = ProblemKind.UNAVAILABLE


class NotUnderstood(Answered):
    """An answer that this API does not give. The request may have been carried out."""


class GatewaysNotFound(NotUnderstood):
    """A 404 with a body, which this API never sends: probably of a gateway, while the service
    behind it starts. It says nothing of the pairing or the task."""


DETAIL_LENGTH_MAX = 200

UNSENT = "this DELETE was not sent"
UNKNOWN = "it is not known whether the appliance has acted on it"
"""Both are added for a failed DELETE only. The words of a look that fails after the DELETE stand in
the final reply, and people would take these additions for news about the DELETE."""


def explain(
    exc: BaseException, *, sent: bool, host: str, method: str, path: str, status: int | None
) -> ApplianceError:
    """Our error for `exc`, not chained to it because its request holds the credentials."""
    chain = list(_chain(exc))
    if not sent:
        return _unsent(chain, host, method, path)
    if _not_http(chain):
        return NotUnderstood(
            f"{host} answered {method} {path} with something that is not this API's.",
            method=method,
            path=path,
            status=status,
        )
    if _has(chain, TimeoutError) or _has(chain, ReadTimeoutError):
        return timed_out(host, method, path, status)
    words = f"The connection to {host} ended before the answer to {method} {path} was complete"
    return ConnectionCut(
        _sentence(words, method, UNKNOWN),
        method=method,
        path=path,
        status=status,
    )


def timed_out(host: str, method: str, path: str, status: int | None) -> TimedOut:
    """The error for an answer that did not come in time, or not completely."""
    return TimedOut(
        _sentence(f"{host} did not answer {method} {path} in time", method, UNKNOWN),
        method=method,
        path=path,
        status=status,
    )


def _unsent(chain: list[BaseException], host: str, method: str, path: str) -> ApplianceError:
    kind: type[ApplianceError] = ConnectFailed
    proxy = proxy_of(host)
    if _has(chain, NameResolutionError):
        # With a proxy, we look up only the proxy's name, and the proxy looks up the appliance's. If
        # the words blamed the appliance's name, people would search in the wrong place.
        kind = NameLookupFailed
        name = f"of the proxy {proxy} on the way to {host}" if proxy else host
        words = f"The name {name} could not be looked up"
    elif _has(chain, ssl.SSLError) or _has(chain, Urllib3SSLError):
        kind = TlsFailed
        words = f"{host} is not the server that is trusted, or TLS failed ({_detail(chain)})"
    else:
        through = f" through the proxy {proxy}" if proxy else ""
        words = f"No connection to {host}{through} ({_detail(chain)})"
    return kind(_sentence(words, method, UNSENT), method=method, path=path)


def _sentence(words: str, method: str, of_delete: str) -> str:
    return f"{words}; {of_delete}." if method == "DELETE" else f"{words}."


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


def _has(chain: list[BaseException], kind: type[BaseException]) -> bool:
    return any(isinstance(found, kind) for found in chain)


def _not_http(chain: list[BaseException]) -> bool:
    # RemoteDisconnected and IncompleteRead mean a cut connection. All other HTTPExceptions mean
    # that the answer was not HTTP.
    cut = http.client.RemoteDisconnected, http.client.IncompleteRead
    return any(isinstance(e, http.client.HTTPException) and not isinstance(e, cut) for e in chain)


def _detail(chain: list[BaseException]) -> str:
    """A few words on the cause, from the innermost error that has some."""
    for found in reversed(chain):
        if isinstance(found, ssl.SSLCertVerificationError):
            return found.verify_message[:DETAIL_LENGTH_MAX]
    for found in reversed(chain):
        if isinstance(found, OSError) and found.strerror:
            return found.strerror[:DETAIL_LENGTH_MAX]
    return " ".join(str(chain[-1]).split())[:DETAIL_LENGTH_MAX] or type(chain[-1]).__name__
