"""The way to an appliance below HTTP: name, proxy, port, and the certificate that it shows."""

from __future__ import annotations

import hashlib
import ssl
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies, select_proxy

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
