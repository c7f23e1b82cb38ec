"""Connections to Slack that are kept for calls that follow at once.

The SDK opens one for each call (SDK source, `_perform_urllib_http_request`). That is a TLS
handshake each time, and an approval makes several calls before anything is sent. A connection that
has been idle is not used again: Slack may have closed it, and a post whose answer is lost may
appear twice.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPException
from ssl import SSLContext
from urllib.error import URLError
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from urllib3 import BaseHTTPResponse, PoolManager, ProxyManager, Timeout, make_headers
from urllib3.exceptions import ConnectTimeoutError, HTTPError, ProxyError, SSLError

IDLE_SECONDS = 4.0
"""Shorter than any common server keeps an idle connection (the shortest default is 5 s)."""

_SCHEMES = {"https": "https", "http": "http", "wss": "https"}

KEPT_MOST = 8
"""There are never more threads that call at the same time."""


def proxy_for(url: str) -> str | None:
    """The proxy that a call or a WebSocket to Slack goes through, None for a direct connection.

    By urllib's rules, read from the environment each time (Python docs, `urllib.request`); the SDK
    would use HTTPS_PROXY for every address and ignore NO_PROXY. `wss:` uses the same proxy as
    `https:`. A WebSocket without TLS (`ws:`, a test double on this machine) is always direct.
    """
    parts = urlsplit(url)
    proxy = getproxies().get(_SCHEMES.get(parts.scheme, ""), "").strip()
    # With its port, since urllib's rules allow one: `NO_PROXY=slack.test:8443`.
    if not proxy or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


@dataclass
class KeptConnections:
    """`timeout_s` is per socket operation. Thread-safe."""

    tls: SSLContext
    timeout_s: float
    _pools: dict[str | None, PoolManager] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _used_at: float = 0.0

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> BaseHTTPResponse:
        """One try, no redirect. Raises URLError if there was no connection, and otherwise the
        OSError or HTTPException itself."""
        if urlsplit(url).scheme not in ("http", "https"):
            raise URLError("neither http nor https")
        try:
            return self._pool(proxy_for(url)).urlopen(
                "POST", url, body=body, headers=headers, retries=False, redirect=False
            )
        except HTTPError as error:
            raise _as_urllib_says(error) from error
        finally:
            self._used_at = time.monotonic()

    def close(self) -> None:
        with self._lock:
            for pool in self._pools.values():
                pool.clear()

    def _pool(self, proxy: str | None) -> PoolManager:
        with self._lock:
            if time.monotonic() - self._used_at > IDLE_SECONDS:
                for pool in self._pools.values():
                    pool.clear()
            if proxy not in self._pools:
                self._pools[proxy] = self._new_pool(proxy)
            return self._pools[proxy]

    def _new_pool(self, proxy: str | None) -> PoolManager:
        timeout = Timeout(connect=self.timeout_s, read=self.timeout_s)
        if proxy is None:
            return PoolManager(ssl_context=self.tls, timeout=timeout, maxsize=KEPT_MOST)
        credentials = unquote(urlsplit(proxy).netloc.rpartition("@")[0])
        return ProxyManager(
            proxy,
            ssl_context=self.tls,
            timeout=timeout,
            maxsize=KEPT_MOST,
            proxy_headers=make_headers(proxy_basic_auth=credentials or None),
        )


def _as_urllib_says(error: HTTPError) -> Exception:
    """The underlying error, as `urlopen` would have raised it."""
    beneath = error.__cause__ or error.__context__
    if not isinstance(beneath, OSError | HTTPException):
        return URLError(str(error))
    unsent = isinstance(error, ConnectTimeoutError | SSLError | ProxyError)
    return URLError(beneath) if unsent else beneath
