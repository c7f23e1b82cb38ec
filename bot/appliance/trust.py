"""How an appliance proves who it is, in one of three ways. Verification cannot be switched off.

Appliances come with a self-signed certificate, which is why so many scripts do switch it off. Here
the operator names a CA file or the SHA-256 fingerprint of the appliance's certificate; otherwise
the system's store must know the CA.
"""

from __future__ import annotations

import re
import ssl
from pathlib import Path

from bot.appliance.wire import DeadlineSocket

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
