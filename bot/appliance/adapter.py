"""The requests session for one appliance: its trust, its connections, no surprises.

Everything that requests does by itself for browsing is switched off here: redirects, cookies,
credentials from a .netrc file, plain http, repeated tries. Proxies from the environment
(HTTPS_PROXY, NO_PROXY) stay.
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

# Enough for all threads that act, follow and read at once; a thread above it still gets a
# connection, which is then not kept.
CONNECTIONS_KEPT = 16

# Nothing is repeated in here, not even a read whose connect failed: a repetition would count
# against the appliance's limit without counting in ours, and would spend the caller's deadline.
# Whoever asked asks again, which is visible and has a budget.
NO_RETRY = Retry(total=0, connect=0, read=False, redirect=0, status=0, other=0)


class TrustingAdapter(HTTPAdapter):
    """Connects by the given trust, whatever `verify` or REQUESTS_CA_BUNDLE say."""

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
            # SOCKS has connection classes of its own, which would not keep our deadlines.
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
        """Nothing: the pool was made with the trust, and no argument may weaken it."""


class QuietSession(requests.Session):
    """A session that takes a redirect as an answer, and never looks where it points."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


def make_session(trust: Trust, user_agent: str) -> requests.Session:
    """A session that can only speak https, to servers that `trust` accepts."""
    session = QuietSession()
    session.adapters.clear()
    session.mount("https://", TrustingAdapter(trust))
    # The API's session travels in its own header; a cookie could only carry state between users.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.clear()
    session.headers.update(
        {
            "User-Agent": user_agent,
            "Accept": "application/json",
            # Answers are small, and what is not packed cannot unpack into gigabytes.
            "Accept-Encoding": "identity",
        }
    )
    return session
