"""A call to the appliance, and why it did not bring what it was made for.

There is one error, `CallError`, with the kind of the problem that it is (`bot.request.problem`).
What an HTTP answer means is in `bot.appliance.http_answers`; here is what it means that none came.

`str(error)` is a sentence for people. No error holds a password, a session id or a header with
one in it, and none is chained to a library's error that does.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from urllib3.exceptions import NameResolutionError, ReadTimeoutError
from urllib3.exceptions import SSLError as Urllib3SSLError

from bot.appliance.models import usable_id
from bot.appliance.tls import proxy_of
from bot.request.problem import Problem, ProblemKind


class CallError(Exception):
    """`status` is that of the HTTP answer, if there was one. `retry_after_seconds` is how long to
    wait before the next try, if that is known. `error_code`, `message` and `op_id` are the
    appliance's own, as they came (vendor OpenAPI, ResponseError); support asks for `op_id`.
    """

    def __init__(
        self,
        kind: ProblemKind,
        sentence: str,
        *,
        status: int | None = None,
        retry_after_seconds: float | None = None,
        error_code: str | None = None,
        message: str | None = None,
        op_id: str | None = None,
    ) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.status = status
        self.retry_after_seconds = retry_after_seconds
        self.error_code = error_code
        self.message = message
        self.op_id = op_id

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
    query: Mapping[str, str] = field(default_factory=dict)

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

    @property
    def about_one(self) -> bool:
        """Whether the application's own 404 says that the pairing or task itself is not there."""
        return self.template.endswith("_id}")


DETAIL_LENGTH_MAX = 200


def not_in_time(host: str, call: Call, kind: ProblemKind) -> CallError:
    """The error for a call that was not made, since its time was over before."""
    return CallError(kind, f"{call} could not be sent to {host} in time.")


def unanswered(
    exc: BaseException, call: Call, host: str, *, sent: bool, status: int | None
) -> CallError:
    """Our error for `exc`, not chained to it because its request holds the credentials."""
    chain = list(_chain(exc))
    if not sent:
        return _unsent(chain, host, call)
    # RemoteDisconnected and IncompleteRead mean a cut connection. All other HTTPExceptions mean
    # that the answer was not HTTP.
    cut = http.client.RemoteDisconnected, http.client.IncompleteRead
    if any(isinstance(e, http.client.HTTPException) and not isinstance(e, cut) for e in chain):
        words = f"{host} answered {call} with something that is not this API's."
        return CallError(ProblemKind.NOT_UNDERSTOOD, words, status=status)
    if _has(chain, TimeoutError, ReadTimeoutError):
        words = f"{host} did not answer {call} in time"
    else:
        words = f"The connection to {host} ended before the answer to {call} was complete"
    words = _of_delete(words, call, "it is not known whether the appliance has acted on it")
    return CallError(ProblemKind.UNANSWERED, words, status=status)


def _unsent(chain: list[BaseException], host: str, call: Call) -> CallError:
    error = CallError
    proxy = proxy_of(host)
    if _has(chain, NameResolutionError):
        # With a proxy, we look up only the proxy's name, and the proxy looks up the appliance's. If
        # the words blamed the appliance's name, people would search in the wrong place.
        name = f"of the proxy {proxy} on the way to {host}" if proxy else host
        words = f"The name {name} could not be looked up"
    elif _has(chain, ssl.SSLError, Urllib3SSLError):
        error = TlsFailed
        words = f"{host} is not the server that is trusted, or TLS failed ({_detail(chain)})"
    else:
        through = f" through the proxy {proxy}" if proxy else ""
        words = f"No connection to {host}{through} ({_detail(chain)})"
    return error(ProblemKind.UNSENT, _of_delete(words, call, "this DELETE was not sent"))


def _of_delete(words: str, call: Call, also: str) -> str:
    """`also` for a failed DELETE only. The words of a look that fails after the DELETE stand in the
    final reply, and people would take it for news about the DELETE."""
    return f"{words}; {also}." if call.method == "DELETE" else f"{words}."


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


def _has(chain: list[BaseException], *kinds: type[BaseException]) -> bool:
    return any(isinstance(found, kinds) for found in chain)


def _detail(chain: list[BaseException]) -> str:
    """A few words on the cause, from the innermost error that has some."""
    for found in reversed(chain):
        if isinstance(found, ssl.SSLCertVerificationError):
            return found.verify_message[:DETAIL_LENGTH_MAX]
    for found in reversed(chain):
        if isinstance(found, OSError) and found.strerror:
            return found.strerror[:DETAIL_LENGTH_MAX]
    return " ".join(str(chain[-1]).split())[:DETAIL_LENGTH_MAX] or type(chain[-1]).__name__
