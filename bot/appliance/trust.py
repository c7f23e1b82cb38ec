"""How an appliance proves who it is. There are three ways, and none of them is "not at all".

Appliances come with a self-signed certificate, which is why so many scripts switch verification
off. Here the operator names a CA file, or the SHA-256 fingerprint of the appliance's certificate,
or the system's store must know the CA.
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
        # Custom socket class: see DeadlineSocket, it keeps the deadline between two reads.
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

        Raises ValueError with a sentence when the file cannot be read or holds no certificate.
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
        # The pin is stricter than any chain: it names one certificate, and the handshake proves
        # that the server holds its key. A chain, a host name or a date would only refuse the
        # self-signed certificate that was pinned. urllib3 compares the pin before it hands the
        # connection over, so nothing is sent to anybody else.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return cls(context, pin=pin, how="the pinned certificate fingerprint")

    def pool_arguments(self) -> dict[str, object]:
        """What urllib3's connection pool must be made with."""
        return {
            "ssl_context": self._context,
            "cert_reqs": self._context.verify_mode,
            "assert_fingerprint": self._pin,
        }


def proxy_context() -> ssl.SSLContext:
    """TLS towards a proxy that is itself reached by https.

    Without it urllib3 would use the appliance's terms for the proxy: with a pin, none at all,
    and the proxy's password would go to whoever answers.
    """
    context = _verifying_context()
    context.sslsocket_class = DeadlineSocket
    return context


def _verifying_context(ca_file: str | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    # The same terms on every Python: 3.13 turned on checks of form (VERIFY_X509_STRICT) which
    # self-made authorities often fail, without being less themselves for it, and lets a
    # certificate in the file be the anchor although nothing signed it (PARTIAL_CHAIN).
    context.verify_flags &= ~ssl.VerifyFlags.VERIFY_X509_STRICT
    if ca_file is not None:
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    return context
