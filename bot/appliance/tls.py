"""The way to an appliance below HTTP: name, proxy, port, how it proves who it is, sockets that keep
a deadline, and the exact moment when a request leaves.

Verification cannot be switched off. Appliances come with a self-signed certificate, which is why so
many scripts do switch it off. Here the operator names a CA file or the SHA-256 fingerprint of the
appliance's certificate; otherwise the system's store must know the CA.

requests has two timeouts, for the connect and for each single read, and one error for many causes.
This program needs more: a whole call must end in time, and it must be known whether any byte of the
request may have reached the appliance. A `Flight` watches both for one call.
"""

from __future__ import annotations

import hashlib
import re
import ssl
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies, select_proxy
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
    """No request was made, as was asked for; its connection is the flight's. Not an OSError."""


@dataclass
class Flight:
    """One HTTP request on its way.

    `by` and `send_by` are seconds of `monotonic`. `sent` becomes true just before the first byte of
    the request can leave. As long as it is false, the application has received nothing, whatever
    error the libraries raise. `certificate` is the server's, in DER, where a connection was made.
    With `only_open` it ends with OnlyOpened before anything is sent, and then `opened` is its
    connection; otherwise that of such a one, for this request alone.
    """

    monotonic: Callable[[], float]
    by: float
    send_by: float | None = None
    only_open: bool = False
    opened: Opened | None = None
    sent: bool = False
    certificate: bytes | None = None
    bytes_received: int = 0

    def leave(self) -> None:
        """Allow the request to be written now, or raise PastSendBy."""
        late = self.send_by is not None and self.monotonic() > self.send_by
        if late or self.only_open:
            raise PastSendBy
        self.sent = True

    def received(self, count: int) -> None:
        """So many bytes of the answer were read from the socket. Raises TooLarge.

        Counted here and not in the body alone: the libraries read a header's line, the size of a
        chunk or what follows the last one however long it is, and an appliance that was taken over
        could fill the memory with any of them."""
        self.bytes_received += count
        if self.bytes_received > ANSWER_MAX_BYTES:
            raise TooLarge

    def clamp(self, timeout_seconds: object) -> float:
        """The timeout for the next socket operation. Raises TimeoutError when the time is over."""
        left = self.by - self.monotonic()
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
            flight.opened = Opened(tls, self.is_verified, self.proxy_is_verified)
            raise OnlyOpened

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


class Trust:
    """One way to trust an appliance, made by `system`, `ca_file` or `fingerprint`."""

    def __init__(self, context: ssl.SSLContext, *, pin: str | None, how: str) -> None:
        # DeadlineSocket also keeps the deadline of the whole call, not only that of each read.
        context.sslsocket_class = DeadlineSocket
        self._context = context
        self._pin = pin
        self.how = how

    def __repr__(self) -> str:
        return f"Trust({self.how})"

    @classmethod
    def system(cls) -> Trust:
        """By the certificate authorities that the system knows."""
        return cls(_verifying_context(), pin=None, how="the system's certificate authorities")

    @classmethod
    def ca_file(cls, path: str | Path) -> Trust:
        """By a PEM file of authorities, or of the appliance's own self-signed certificate. Raises
        OSError if it cannot be read or holds none."""
        how = f"the certificate authorities in {path}"
        return cls(_verifying_context(str(path)), pin=None, how=how)

    @classmethod
    def fingerprint(cls, pin: str) -> Trust:
        """By the SHA-256 of the appliance's own (leaf) certificate, in hexadecimal digits. That
        these are 64 the settings have seen to: urllib3 would take a shorter hash as well."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # A pin is stricter than any chain: it names one certificate, and the handshake proves that
        # the server has its key. Checking chain, host name or date as well could only refuse the
        # self-signed certificate that was pinned. urllib3 compares the pin before the connection
        # is used, so nothing is sent to anybody else.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return cls(context, pin=pin, how="the pinned certificate fingerprint")

    def pool_arguments(self) -> dict[str, object]:
        """The arguments that urllib3's connection pool must be made with."""
        return {
            "ssl_context": self._context,
            "cert_reqs": self._context.verify_mode,
            "assert_fingerprint": self._pin,
        }


def proxy_context() -> ssl.SSLContext:
    """TLS to a proxy that is itself reached by https.

    Without this urllib3 would use the appliance's context for the proxy too. With a pin that one
    verifies nothing, and the proxy's password would go to whoever answers.
    """
    context = _verifying_context()
    context.sslsocket_class = DeadlineSocket
    return context


def _verifying_context(ca_file: str | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    # The same on every Python version. 3.13 turned on formal checks (VERIFY_X509_STRICT), which
    # self-made authorities often fail although they are no less secure, and accepts a certificate
    # in the file as the anchor even if it is not self-signed (PARTIAL_CHAIN).
    context.verify_flags &= ~ssl.VerifyFlags.VERIFY_X509_STRICT
    if ca_file is not None:
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    return context


def proxy_of(host: str) -> str | None:
    """`name:port` of the proxy that the environment sets for this appliance, without credentials.

    By the rules of requests, which the client uses as well.
    """
    url = f"https://{host}/"
    proxy = select_proxy(url, get_environ_proxies(url, no_proxy=None))
    if not proxy:
        return None
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    ports = {"https": 443, "http": 80}
    port = parts.port or ports.get(parts.scheme, 1080)
    return f"{parts.hostname}:{port}"


def served_fingerprint(host: str, timeout_seconds: float) -> str:
    """The SHA-256 of the certificate that `host` or `host:port` shows: upper case, with colons.

    Nothing is verified here, so it is only for a person who compares it with what the appliance's
    own console says. Nothing is sent after the handshake. Always direct, never through a proxy.
    Raises OSError, also if the server does not speak TLS.
    """
    place = urlsplit(f"https://{host}")
    address = place.hostname or host, place.port or 443
    shown = ssl.get_server_certificate(address, timeout=timeout_seconds)
    certificate = ssl.PEM_cert_to_DER_cert(shown)
    return hashlib.sha256(certificate).digest().hex(":").upper()


_VALIDITY = re.compile(
    rb"\x30.(?:\x17\x0d\d{12}Z|\x18\x0f\d{14}Z)(?:\x17\x0d(\d{12})Z|\x18\x0f(\d{14})Z)", re.DOTALL
)
"""Of a certificate in DER: two times one after the other, as nothing else in it has them. The year
has two digits up to 2049 (RFC 5280, 4.1.2.5)."""


def certificate_end(der: bytes) -> datetime | None:
    """When a certificate ends; None if that cannot be read. For people: nothing is decided by it.
    The libraries tell it of a certificate that they have verified alone, and so of no pinned one.
    """
    found = _VALIDITY.search(der)
    if found is None:
        return None
    short, long = found.groups()
    text = (long or (b"19" if short >= b"50" else b"20") + short).decode()
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
