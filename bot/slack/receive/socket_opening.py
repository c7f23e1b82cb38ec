"""Opens one WebSocket to Slack: asks for its address, then connects, through a proxy where one is
set."""

from __future__ import annotations

import logging
import math
import socket
import threading
import time
from contextlib import suppress
from typing import Any, cast

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from websockets.protocol import Event
from websockets.sync.client import ClientConnection, connect

from bot.slack.receive.http import LARGEST_BODY
from bot.slack.send.client import USER_AGENT, proxy_for, tls
from bot.slack.send.problems import BROKEN, Kind, problem_of

ADDRESS_TIMEOUT_S = 5
"""For `apps.connections.open`, per socket operation."""

OPEN_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 0.5
"""For TCP, TLS and the first answer; and for a farewell, of which nothing depends on an answer."""

_websockets = logging.getLogger("bot.slack.websockets")
_websockets.setLevel(logging.CRITICAL)
# It would tell of what is told here once, and at DEBUG of every frame.


class NotOpened(Exception):
    """Its text may be shown. `wait_s` is how long Slack asked to wait, 0 if it did not."""

    def __init__(self, words: str, wait_s: int = 0) -> None:
        super().__init__(words)
        self.wait_s = wait_s


class Line(ClientConnection):
    """One WebSocket, and what is known of it. Its reading thread alone writes that, `leave_at`
    aside. Times are those of `time.monotonic`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.opened_at = self.heard_at = time.monotonic()
        self.greeted = self.ended = False
        self.leaving = ""
        """Why Slack wants it to go."""
        self.leave_at = math.inf
        """Another one has replaced it; until then it is kept."""
        self.over = threading.Event()
        """Another one is wanted."""
        super().__init__(*args, **options)

    def process_event(self, event: Event) -> None:
        """For each whole frame, pings and pongs included."""
        self.heard_at = time.monotonic()
        super().process_event(event)

    def close_socket(self) -> None:
        # Closing alone does not wake a thread that reads within a TLS record. And not the TLS
        # socket's own `shutdown`: it would drop the TLS state while that thread still uses it.
        with suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)
        super().close_socket()


def open_line(client: WebClient) -> Line:
    """Connected, but not greeted yet. Raises NotOpened."""
    url = address(client)
    proxy = proxy_for(url)
    try:
        line = connect(
            url,
            ssl=tls() if url.startswith("wss:") else None,
            proxy=proxy,
            user_agent_header=USER_AGENT,
            compression=None,
            open_timeout=OPEN_TIMEOUT_S,
            close_timeout=CLOSE_TIMEOUT_S,
            ping_interval=None,  # its own come without a pause after a slow answer
            max_size=16 * LARGEST_BODY,
            logger=_websockets,
            create_connection=Line,
            legacy=True,
        )
    except Exception as error:
        # Whatever it is: without another try the bot would stay deaf.
        words = f"{type(error).__name__}: {error}".replace(url, "its address")
        # websockets quotes the proxy's address, which may hold a password.
        raise NotOpened(words.replace(proxy or url, "HTTPS_PROXY")[:200]) from error
    return cast(Line, line)


def address(client: WebClient) -> str:
    """Where to connect. It is secret, since it holds a ticket. Raises NotOpened."""
    try:
        url = client.api_call("apps.connections.open").get("url")
    except (SlackApiError, *BROKEN) as error:
        problem = problem_of(error)
        words = f"apps.connections.open: {problem.word}"
        if problem.kind is Kind.ACCOUNT:
            words += " (is SLACK_APP_TOKEN right, with the scope connections:write?)"
        raise NotOpened(words, problem.retry_after_s) from error
    # Without TLS only where Slack's API itself is without, a test double on this machine: the
    # ticket and every click would be readable on the way.
    secure = ("wss://", "ws://") if client.base_url.startswith("http://") else "wss://"
    if not isinstance(url, str) or not url.startswith(secure):
        raise NotOpened("apps.connections.open gave no address that is secure")
    return url
