"""Which proxy a call or a WebSocket to Slack goes through.

slack_sdk uses HTTPS_PROXY for every address and ignores NO_PROXY (SDK source,
`proxy_env_variable_loader`). Here urllib's rules apply to both (Python docs, `urllib.request`).
"""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

_SCHEMES = {"https": "https", "http": "http", "wss": "https"}


def proxy_for(url: str) -> str | None:
    """The address of the proxy, None for a direct connection. Read from the environment each time.

    `wss:` uses the same proxy as `https:`. A WebSocket without TLS (`ws:`, a test double on this
    machine) is always direct, since behind a proxy the SDK always speaks TLS.
    """
    parts = urlsplit(url)
    proxy = getproxies().get(_SCHEMES.get(parts.scheme, ""), "").strip()
    # With its port, since urllib's rules allow one: `NO_PROXY=slack.test:8443`.
    if not proxy or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
