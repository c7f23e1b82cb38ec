"""The lowest level: sockets that keep a deadline, and the exact moment when a request leaves.

requests has two timeouts, for the connect and for each single read, and one error for many causes.
This program needs more: a whole call must end in time, and it must be known whether any byte of the
request may have reached the appliance. A `Flight` watches both for one call.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool

# Servers close idle connections after some seconds (5 is a common default), and firewalls drop them
# silently. A DELETE that is sent at that moment cannot be told from one that was received, so it is
# never sent on a connection that was idle for longer than this.
WARM_SECONDS = 2.0


ANSWER_MAX_BYTES = 6 * 1024 * 1024
"""For one answer with its headers. A page of 500 replications has some two million bytes."""


class PastSendBy(Exception):
    """The request did not leave in time. Not an OSError, since urllib3 would wrap one."""


class TooLarge(Exception):
    """The answer is larger than any of this API. Not an OSError either."""


class Flight:
    """One HTTP request on its way.

    `deadline` and `send_by` are seconds of `monotonic`. `sent` becomes true just before the first
    byte of the request can leave. As long as it is false, the application has received nothing,
    whatever error the libraries raise. `certificate` is the server's, in DER, where a connection
    was made.
    """

    def __init__(
        self, *, monotonic: Callable[[], float], deadline: float, send_by: float | None
    ) -> None:
        self._monotonic = monotonic
        self._deadline = deadline
        self._send_by = send_by
        self._received = 0
        self.sent = False
        self.certificate: bytes | None = None

    def leave(self) -> None:
        """Allow the request to be written now, or raise PastSendBy."""
        if self._send_by is not None and self._monotonic() > self._send_by:
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

    def now(self) -> float:
        return self._monotonic()

    def takes(self, kept_at: float) -> bool:
        """Whether the request may use a connection that has been idle since `kept_at`."""
        return self._send_by is None or self._monotonic() < kept_at + WARM_SECONDS

    def clamp(self, timeout_seconds: float | None) -> float:
        """The timeout for the next socket operation. Raises TimeoutError at the deadline."""
        left = self._deadline - self._monotonic()
        if left <= 0:
            raise TimeoutError("the time for the whole call is over")
        return left if timeout_seconds is None else min(timeout_seconds, left)


# A context variable, since a connection cannot learn from urllib3 which call it is used for. Each
# thread has its own value. There is no default, so a connection outside of any call fails.
current_flight: ContextVar[Flight] = ContextVar("current_flight")


class _KeepsDeadline:
    """A socket that reads no longer than its call may last, and no more than an answer may have.

    A read timeout starts anew with every byte. A server (or a broken middlebox) that sends one byte
    every few seconds could keep a thread for hours, both in the headers and in the body.
    """

    def recv_into(self: Any, *args: Any) -> int:
        flight = current_flight.get()
        self.settimeout(flight.clamp(self.gettimeout()))
        count: int = super().recv_into(*args)  # type: ignore[misc]
        flight.received(count)
        return count

    def recv(self: Any, *args: Any) -> bytes:
        """Used for TLS inside the TLS of a proxy."""
        flight = current_flight.get()
        self.settimeout(flight.clamp(self.gettimeout()))
        received: bytes = super().recv(*args)  # type: ignore[misc]
        flight.received(len(received))
        return received


class DeadlineSocket(_KeepsDeadline, ssl.SSLSocket):
    """With TLS, to the appliance or to a proxy."""


class PlainDeadlineSocket(_KeepsDeadline, socket.socket):
    """Without TLS yet. A proxy's answer to CONNECT is read from it."""

    @classmethod
    def of(cls, connected: socket.socket) -> PlainDeadlineSocket:
        timeout_seconds = connected.gettimeout()
        kept = cls(fileno=connected.detach())
        kept.settimeout(timeout_seconds)
        return kept


class ApplianceConnection(HTTPSConnection):
    """An HTTPS connection that asks the flight before it writes a request. `kept_at` is since when
    it has been idle in its pool."""

    kept_at = 0.0

    def _new_conn(self) -> socket.socket:
        return PlainDeadlineSocket.of(super()._new_conn())

    def connect(self) -> None:
        flight = current_flight.get()
        self.timeout = flight.clamp(_seconds(self.timeout))
        super().connect()
        tls: Any = self.sock
        flight.certificate = tls.getpeercert(binary_form=True)

    def request(  # type: ignore[override]
        self,
        method: str,
        url: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        # urllib3 has connected and verified by now. Without a socket http.client would silently
        # connect anew, which could take any time between the check and the first byte.
        if self.sock is None:
            raise ConnectionError("the connection was closed before the request was written")
        super().request(method, url, body, headers, **options)

    def endheaders(self, *args: Any, **options: Any) -> None:
        """The whole request is ready, and its first byte is sent next."""
        # The latest possible point, with any kind of proxy. If the process was frozen during the
        # name lookup, the connect, the TLS handshake or the composing, it is noticed here and
        # nothing leaves. If it is frozen in the microseconds from here to the system call, it sends
        # when it wakes up; by then another copy has called a person (`docs/reliability.md`).
        current_flight.get().leave()
        super().endheaders(*args, **options)


class AppliancePool(HTTPSConnectionPool):
    """A pool of such connections. Which one a call gets depends on the other threads: it may not be
    the one that was just tested."""

    ConnectionCls = ApplianceConnection

    def _get_conn(self, timeout: float | None = None) -> Any:
        conn: Any = super()._get_conn(timeout)
        if not current_flight.get().takes(conn.kept_at):
            conn.close()  # urllib3 connects it anew, as if the server had closed it
        return conn

    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            conn.kept_at = current_flight.get().now()
        super()._put_conn(conn)


def _seconds(timeout: object) -> float | None:
    return float(timeout) if isinstance(timeout, int | float) else None
