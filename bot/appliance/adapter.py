"""The requests session for one appliance, with its trust and its connections.

Everything that requests does unasked is switched off here: redirects, cookies, credentials from a
.netrc file, plain http, retries. Proxies from the environment (HTTPS_PROXY, NO_PROXY) are used.
"""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from bot.appliance.trust import Trust, proxy_context
from bot.appliance.wire import AppliancePool

# Enough for all threads that act, follow and read at once. A thread beyond that still gets a
# connection, but it is not kept.
CONNECTIONS_KEPT = 16

# No retries here, not even of a read whose connect failed: they would count against the appliance's
# limit but not in our budget, and would use up the caller's deadline. The caller tries again, where
# it can be seen and is counted.
NO_RETRY = Retry(total=0, connect=0, read=False, redirect=0, status=0, other=0)


class TrustingAdapter(HTTPAdapter):
    """Verifies by the given trust alone, whatever `verify` or REQUESTS_CA_BUNDLE say."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        super().__init__(pool_maxsize=CONNECTIONS_KEPT, max_retries=NO_RETRY)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any
    ) -> None:
        super().init_poolmanager(connections, maxsize, block, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = {"https": AppliancePool}

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        if proxy.lower().startswith("socks"):
            # urllib3 has separate connection classes for SOCKS, which would ignore our deadlines.
            raise requests.exceptions.InvalidSchema("SOCKS proxies are not supported")
        manager = super().proxy_manager_for(
            proxy, proxy_ssl_context=proxy_context(), **proxy_kwargs
        )
        manager.pool_classes_by_scheme = {"https": AppliancePool}
        return manager

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        address = urlsplit(str(request.url))
        host = {"scheme": "https", "host": address.hostname, "port": address.port}
        return host, dict(self._trust.pool_arguments())

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Does nothing: the pool was made with the trust, and no argument may weaken it."""


class QuietSession(requests.Session):
    """A session that returns a redirect as the answer and never follows it."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


def make_session(trust: Trust, user_agent: str) -> requests.Session:
    """A session that can only speak https, to servers that `trust` accepts."""
    session = QuietSession()
    session.adapters.clear()
    session.mount("https://", TrustingAdapter(trust))
    # The API's session has a header of its own; a cookie could only mix up two users' sessions.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.clear()
    session.headers.update(
        {
            "User-Agent": user_agent,
            "Accept": "application/json",
            # Answers are small, and without compression none can unpack into gigabytes.
            "Accept-Encoding": "identity",
        }
    )
    return session
