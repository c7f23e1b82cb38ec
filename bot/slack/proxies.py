"""Which proxy a WebSocket to Slack goes through.

slack_sdk takes HTTPS_PROXY for every address and knows no NO_PROXY (SDK source,
`proxy_env_variable_loader`); the Web API goes by urllib's rules, so the socket does too.
"""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


def proxy_for(url: str) -> str | None:
    """The address of the proxy for a `wss:` address, None for a direct connection.

    Without TLS (`ws:`, a test double on this machine) it is always direct: the SDK speaks TLS to
    whatever is behind a proxy.
    """
    parts = urlsplit(url)
    proxy = getproxies().get("https", "").strip()
    if parts.scheme != "wss" or not proxy:
        return None
    # urllib's rule may look at the port as well: `NO_PROXY=slack.test:8443`.
    place = parts.netloc.rpartition("@")[2]
    if proxy_bypass(place):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
