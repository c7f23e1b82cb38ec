"""Which proxy a call or a WebSocket to Slack goes through.

slack_sdk takes HTTPS_PROXY for every address and knows no NO_PROXY (SDK source,
`proxy_env_variable_loader`); here both go by urllib's rules (Python docs, `urllib.request`).
"""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

_SCHEMES = {"https": "https", "http": "http", "wss": "https"}


def proxy_for(url: str) -> str | None:
    """The address of the proxy, None for a direct connection; read from the environment each time.

    `wss:` goes the way of `https:`. Without TLS a WebSocket (`ws:`, a test double on this machine)
    is always direct: the SDK speaks TLS to whatever is behind a proxy.
    """
    parts = urlsplit(url)
    proxy = getproxies().get(_SCHEMES.get(parts.scheme, ""), "").strip()
    # urllib's rule may look at the port as well: `NO_PROXY=slack.test:8443`.
    if not proxy or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
