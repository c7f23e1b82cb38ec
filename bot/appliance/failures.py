"""Turns an error of requests, urllib3, http.client or ssl into one of ours.

The libraries wrap one cause in different types from version to version, and use one type for
different causes (an SSLError can come from the handshake or from a later read). So the type does
not decide the question that matters, whether the request may have left: the connection itself has
recorded that (`Flight.sent`). The type only chooses the words.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator

from urllib3.exceptions import (
    DecodeError,
    NameResolutionError,
    ReadTimeoutError,
)
from urllib3.exceptions import SSLError as Urllib3SSLError

from bot.appliance import way
from bot.appliance.errors import (
    ApplianceError,
    ConnectFailed,
    ConnectionCut,
    NameLookupFailed,
    NotUnderstood,
    TimedOut,
    TlsFailed,
)

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
    if _has(chain, DecodeError) or _not_http(chain):
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
    proxy = way.proxy_of(host)
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
