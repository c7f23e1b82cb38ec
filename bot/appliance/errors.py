"""Everything that can go wrong with a call to the appliance.

The classes answer the one question that matters after a DELETE: may it have been received?

    ApplianceError
    ├─ HeldBack              the bot held itself back; nothing was sent
    │  ├─ OverBudget         its own limit of calls per minute is used up
    │  └─ Resting            log-ins pause, so that SSO does not lock the account
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

from typing import Literal

from bot.appliance.models import ResponseError


class ApplianceError(Exception):
    """Base of the tree.

    `sentence` is for people. `method` and `path` are the call's, if one was made, with the path
    relative to the base path. `status` is that of the HTTP answer, if there was one.
    `retry_after_seconds` is how long to wait before the next try, if that is known.
    """

    def __init__(
        self,
        sentence: str,
        *,
        method: str | None = None,
        path: str | None = None,
        status: int | None = None,
        retry_after_seconds: float | None = None,
        response_error: ResponseError | None = None,
        body_excerpt: str = "",
    ) -> None:
        # Only the sentence is in args: copy and pickle call the class with args, and take the other
        # fields from __dict__.
        super().__init__(sentence)
        self.method = method
        self.path = path
        self.status = status
        self.retry_after_seconds = retry_after_seconds
        self.response_error = response_error
        self.body_excerpt = body_excerpt

    @property
    def error_code(self) -> str | None:
        """The appliance's own code, as it came (vendor OpenAPI, ResponseError)."""
        return self.response_error.error_code if self.response_error else None

    @property
    def message(self) -> str | None:
        """The appliance's own words, as they came (vendor OpenAPI, ResponseError)."""
        return self.response_error.message if self.response_error else None

    @property
    def op_id(self) -> str | None:
        """The operation id that support asks for (vendor OpenAPI, ResponseError)."""
        return self.response_error.op_id if self.response_error else None


class HeldBack(ApplianceError):
    """The bot did not call; `retry_after_seconds` says when it may."""


class OverBudget(HeldBack):
    """The calls per minute that this priority may use are used up."""


class Resting(HeldBack):
    """Log-ins pause for a while. `why` says what led to it."""

    why: str = ""

    def __init__(self, sentence: str, *, why: str = "", retry_after_seconds: float = 0.0) -> None:
        super().__init__(sentence, retry_after_seconds=retry_after_seconds)
        self.why = why


class Unproven(Resting):
    """It is not known how the last two log-ins ended: neither a refusal nor a call that worked
    afterwards was stored. Mostly the processes that made them were killed, or another copy is about
    to make that call."""


class NotSent(ApplianceError):
    """Provably not one byte of the request reached the application."""


class NameLookupFailed(NotSent):
    """The host name has no address."""


class ConnectFailed(NotSent):
    """No connection, directly or through the proxy."""


class TlsFailed(NotSent):
    """The TLS handshake failed, or the server is not the one that is trusted."""


class TooLate(NotSent):
    """The request had to be sent by a certain time, and was not."""


class NoSession(NotSent):
    """The session that the call was prepared with is gone, and this call may not log in."""


class Unanswered(ApplianceError):
    """The request may have been received: look before repeating anything."""


class TimedOut(Unanswered):
    """No complete answer in time."""


class ConnectionCut(Unanswered):
    """The connection ended before a complete answer."""


class Answered(ApplianceError):
    """An HTTP answer other than the expected one."""


class Refused(Answered):
    """The application said no; `response_error` and `body_excerpt` hold its words."""


class Unauthorized(Answered):
    """401: the session has ended or never had the right. The appliance sends no body."""


class LoginRefused(Answered):
    """A log-in was refused: `which` site's user. Wrong password, locked, or no right."""

    which: Literal["local", "remote"] = "local"

    def __init__(
        self,
        sentence: str,
        *,
        which: Literal["local", "remote"] = "local",
        method: str | None = None,
        path: str | None = None,
        status: int | None = None,
        retry_after_seconds: float | None = None,
        response_error: ResponseError | None = None,
    ) -> None:
        super().__init__(
            sentence,
            method=method,
            path=path,
            status=status,
            retry_after_seconds=retry_after_seconds,
            response_error=response_error,
        )
        self.which = which


class NotFound(Answered):
    """404. This API sends it without a body: `body_excerpt` hints at a gateway's."""


class NoSuchPairing(NotFound):
    """The application's own 404 about a pairing. No other 404 counts, such as a log-in's or a
    gateway's: if it were taken for "gone", the bot would report a deletion that did not happen. Nor
    is this one the proof: the list of pairings has to agree (`bot.request.pairing.Presence`)."""

    @classmethod
    def by(cls, answer: NotFound) -> NoSuchPairing:
        return cls(
            str(answer),
            method=answer.method,
            path=answer.path,
            status=answer.status,
            body_excerpt=answer.body_excerpt,
        )


class NoSuchTask(NotFound):
    """The application's own 404 about a task: it has forgotten it."""


class Limited(Answered):
    """429. `retry_after_seconds` is None if no header gave it."""


class Unavailable(Answered):
    """503 with a readable Retry-After: the request was not carried out, try again later."""


class NotUnderstood(Answered):
    """An answer that this API does not give. The request may have been carried out."""


class GatewaysNotFound(NotUnderstood):
    """A 404 with a body, which this API never sends: probably of a gateway, while the service
    behind it starts. It says nothing of the pairing or the task."""
