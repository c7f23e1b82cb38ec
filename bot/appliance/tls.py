"""The way to an appliance below HTTP: name, proxy, port, and how it proves who it is.

Verification cannot be switched off. Appliances come with a self-signed certificate, which is why so
many scripts do switch it off. Here the operator names a CA file or the SHA-256 fingerprint of the
appliance's certificate; otherwise the system's store must know the CA.
"""

from __future__ import annotations

import hashlib
import re
import ssl
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies, select_proxy

from bot.appliance.connection import DeadlineSocket

_SHA256_HEX = re.compile(r"[0-9a-f]{64}\Z")


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
        """By a PEM file of authorities, or of the appliance's own self-signed certificate.

        Raises ValueError with a sentence if the file cannot be read or holds no certificate.
        """
        try:
            context = _verifying_context(str(path))
        except ssl.SSLError:
            raise ValueError(f"{path} holds no certificate in PEM form.") from None
        except OSError as exc:
            raise ValueError(f"{path} cannot be read: {exc.strerror}.") from None
        return cls(context, pin=None, how=f"the certificate authorities in {path}")

    @classmethod
    def fingerprint(cls, text: str) -> Trust:
        """By the SHA-256 of the appliance's own (leaf) certificate, colons and case optional.

        Raises ValueError with a sentence for anything that is not 64 hexadecimal digits.
        """
        pin = re.sub(r"[:\s]", "", text).lower()
        if not _SHA256_HEX.match(pin):
            raise ValueError(
                "A fingerprint is the SHA-256 of the certificate: 64 hexadecimal digits, with or"
                " without colons."
            )
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


HTTPS_PORT = 443


def place(host: str) -> tuple[str, int]:
    """Name and port of `host` or `host:port`."""
    parts = urlsplit(f"https://{host}")
    return parts.hostname or host, parts.port or HTTPS_PORT


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


def served_fingerprint(host: str, port: int, timeout_seconds: float) -> str:
    """The SHA-256 of the certificate that is shown there: upper case, with colons.

    Nothing is verified here, so it is only for a person who compares it with what the appliance's
    own console says. Nothing is sent after the handshake. Always direct, never through a proxy.
    Raises OSError, also if the server does not speak TLS.
    """
    shown = ssl.get_server_certificate((host, port), timeout=timeout_seconds)
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
