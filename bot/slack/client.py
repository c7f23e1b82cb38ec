"""How every client of Slack's Web API is made: with deadlines, and without anything that repeats.

The SDK's defaults would wait 30 s and send again when an answer was lost, which posts twice
(SDK source, `http_retry.default_retry_handlers`).
"""

from __future__ import annotations

import logging
import ssl
from functools import cache

from slack_sdk import WebClient

from bot import __version__

USER_AGENT = f"vr-unpair/{__version__}"

POST_TIMEOUT_S = 10
"""For the poster, per socket operation: nobody waits for it but the next message."""

QUICK_TIMEOUT_S = 2
"""For a call inside a listener: Slack wants its acknowledgement within 3 s."""

PEOPLE_TIMEOUT_S = 3
"""For `users.info`: somebody has clicked and waits."""


def quiet_logger() -> logging.Logger:
    """For the Slack libraries: warnings and worse only.

    At DEBUG they write whole bodies, addresses of `response_url` included, and those let anybody
    who reads the log speak in the channel. The level is set here and not inherited, because the
    libraries look at the level of this very logger.
    """
    logger = logging.getLogger("bot.slack.library")
    logger.setLevel(logging.WARNING)
    return logger


@cache
def tls() -> ssl.SSLContext:
    """The system's trust, read once: without it each call loads all certificates anew."""
    return ssl.create_default_context()


def api_client(token: str, *, base_url: str, timeout_s: int) -> WebClient:
    """A client that tries once.

    `timeout_s` is per socket operation (connect, each read), as urllib counts it. Proxies: the
    SDK takes HTTPS_PROXY, or else HTTP_PROXY, for every address; here urllib decides instead, so
    HTTPS_PROXY is for https alone and NO_PROXY is respected (Python docs, `urllib.request`).
    """
    client = WebClient(
        token=token,
        base_url=base_url,
        timeout=timeout_s,
        ssl=tls(),
        user_agent_prefix=USER_AGENT,
        logger=quiet_logger(),
        retry_handlers=[],
    )
    # With no proxy of its own the SDK calls `urlopen`, which reads the environment the usual way.
    client.proxy = None
    return client
