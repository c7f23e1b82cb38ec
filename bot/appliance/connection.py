"""The lowest level: sockets that keep a deadline, and the exact moment when a request leaves.

requests has two timeouts, for the connect and for each single read, and one error for many causes.
This program needs more: a whole call must end in time, and it must be known whether any byte of the
request may have reached the appliance. A `Flight` watches both for one call.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool

ANSWER_MAX_BYTES = 5 * 1024 * 1024
"""For one answer with its headers. A page of 500 replications has some two million bytes."""


class PastSendBy(Exception):
    """The request did not leave in time. Not an OSError, since urllib3 would wrap one."""


class TooLarge(Exception):
    """The answer is larger than any of this API. Not an OSError either."""


@dataclass(frozen=True)
class Opened:
    """A connection that is made and verified, and on which nothing was sent."""

    sock: Any
    is_verified: bool
    proxy_is_verified: bool | None

    def is_open(self) -> bool:
        """Whether the other side has neither closed it nor said anything. What TLS itself sends
        after the handshake is read over here."""
        self.sock.settimeout(0)
        try:
            self.sock.recv(1)
        except ssl.SSLWantReadError:
            return True
        except OSError:
            return False
        return False


class OnlyOpened(Exception):
    """No request was made, as was asked for; here is its connection. Not an OSError either."""

    def __init__(self, opened: Opened) -> None:
        super().__init__()
        self.opened = opened


class Flight:
    """One HTTP request on its way.

    `by` and `send_by` are seconds of `monotonic`. `sent` becomes true just before the first byte of
    the request can leave. As long as it is false, the application has received nothing, whatever
    error the libraries raise. `certificate` is the server's, in DER, where a connection was made.
    With `only_open` it ends with OnlyOpened before anything is sent; `opened` is the connection of
    such a one, for this request alone.
    """

    def __init__(
        self,
        *,
        monotonic: Callable[[], float],
        by: float,
        send_by: float | None = None,
        only_open: bool = False,
        opened: Opened | None = None,
    ) -> None:
        self._monotonic = monotonic
        self.by = by
        self.send_by = send_by
        self.only_open = only_open
        self.opened = opened
        self._received = 0
        self.sent = False
        self.certificate: bytes | None = None

    def leave(self) -> None:
        """Allow the request to be written now, or raise PastSendBy."""
        late = self.send_by is not None and self._monotonic() > self.send_by
        if late or self.only_open:
            raise PastSendBy
        self.sent = True

    def received(self, count: int) -> None:
        """So many bytes of the answer were read from the socket. Raises TooLarge.

        Counted here and not in the body alone: the libraries read a header's line, the size of a
        chunk or what follows the last one however long it is, and an appliance that was taken over
        could fill the memory with any of them."""
        self._received += count
        if self._received > ANSWER_MAX_BYTES:
            raise TooLarge

    def clamp(self, timeout_seconds: object) -> float:
        """The timeout for the next socket operation. Raises TimeoutError when the time is over."""
        left = self.by - self._monotonic()
        if left <= 0:
            raise TimeoutError("the time for the whole call is over")
        return min(timeout_seconds, left) if isinstance(timeout_seconds, int | float) else left


# A context variable, since a connection cannot learn from urllib3 which call it is used for. Each
# thread has its own value. There is no default, so a connection outside of any call fails.
current_flight: ContextVar[Flight] = ContextVar("current_flight")


class DeadlineSocket(ssl.SSLSocket):
    """A socket with TLS that reads no longer than its call may last, and no more than an answer may
    have.

    A read timeout starts anew with every byte. A server (or a broken middlebox) that sends one byte
    every few seconds could keep a thread for hours, both in the headers and in the body.
    """

    def recv_into(self, *args: Any) -> int:
        flight = current_flight.get()
        self.settimeout(flight.clamp(self.gettimeout()))
        count = super().recv_into(*args)
        flight.received(count)
        return count

    def recv(self, *args: Any) -> bytes:
        """Used for TLS inside the TLS of a proxy."""
        flight = current_flight.get()
        self.settimeout(flight.clamp(self.gettimeout()))
        received = super().recv(*args)
        flight.received(len(received))
        return received


class ApplianceConnection(HTTPSConnection):
    """An HTTPS connection that asks the flight before it writes a request."""

    # urllib3 has connected and verified before it writes. Without a socket http.client would
    # silently connect anew, which could take any time between the check and the first byte.
    auto_open = 0

    def connect(self) -> None:
        flight = current_flight.get()
        opened = flight.opened
        # One that was closed meanwhile is found out here, where nothing was sent yet.
        if opened is not None and opened.is_open():
            self.sock, self.is_verified = opened.sock, opened.is_verified
            self.proxy_is_verified = opened.proxy_is_verified
            return
        self.timeout = flight.clamp(self.timeout)
        super().connect()
        tls: Any = self.sock
        flight.certificate = tls.getpeercert(binary_form=True)
        if flight.only_open:
            self.sock = None  # whatever the libraries close now
            raise OnlyOpened(Opened(tls, self.is_verified, self.proxy_is_verified))

    def endheaders(self, *args: Any, **options: Any) -> None:
        """The whole request is ready, and its first byte is sent next."""
        # The latest possible point, with any kind of proxy. If the process was frozen during the
        # name lookup, the connect, the TLS handshake or the composing, it is noticed here and
        # nothing leaves. If it is frozen in the microseconds from here to the system call, it sends
        # when it wakes up; by then another copy has called a person (`docs/reliability.md`).
        current_flight.get().leave()
        super().endheaders(*args, **options)


class AppliancePool(HTTPSConnectionPool):
    """A pool of such connections."""

    ConnectionCls = ApplianceConnection
