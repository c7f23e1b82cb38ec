"""Makes every client of Slack's Web API, with short timeouts and without retries.

By default the SDK waits 30 s, and sends again if an answer was lost, which can post a message twice
(SDK source, `http_retry.default_retry_handlers`).
"""

from __future__ import annotations

import json
import logging
import ssl
from collections.abc import Callable
from email.message import Message
from functools import cache
from typing import Any
from urllib.parse import urlencode

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from bot import __version__
from bot.slack.send.kept_connections import KeptConnections
from bot.slack.send.pauses import Silenced, left_ms
from bot.slack.send.trouble import BROKEN, Kind, trouble_of
from bot.store.shared import Pauses

OnCall = Callable[[str, str], None]

USER_AGENT = f"vr-unpair/{__version__}"

POST_TIMEOUT_S = 10
"""For the poster, per socket operation. Only the next message waits for it."""

QUICK_TIMEOUT_S = 2
"""For a call inside a listener: Slack wants its acknowledgement within 3 s."""

PRESS_TIMEOUT_S = 1
"""To ask who somebody is, inside a listener that then opens a form: both within those 3 s."""

PEOPLE_TIMEOUT_S = 3
"""For `users.info`: somebody has clicked and is waiting."""


def quiet_logger() -> logging.Logger:
    """For the Slack libraries: warnings and worse only.

    At DEBUG they log whole bodies with `response_url`, with which anybody who reads the log could
    post in the channel. The level is set here rather than inherited, because the libraries look at
    the level of this very logger.
    """
    logger = logging.getLogger("bot.slack.library")
    logger.setLevel(logging.WARNING)
    return logger


@cache
def tls() -> ssl.SSLContext:
    """The system's trust, read once. Otherwise each call would load all certificates anew."""
    return ssl.create_default_context()


class ObservedClient(WebClient):
    """Reports how each call ended: the method, and `ok` or a `trouble.Kind`. While a 429 holds a
    method back, it raises `Silenced` instead of calling it. Keeps its connections for a moment."""

    on_call: OnCall | None = None
    pauses: Pauses | None = None
    connections: KeptConnections

    def _perform_urllib_http_request(
        self, *, url: str, args: dict[str, dict[str, Any]]
    ) -> dict[str, Any]:
        """Replaces the SDK's own, which opens a connection for each call and can retry. Neither is
        wanted here. Files are not supported, since nothing sends any."""
        if args["json"]:
            body, kind = json.dumps(args["json"]), "application/json;charset=utf-8"
        else:
            body, kind = urlencode(args["params"] or {}), "application/x-www-form-urlencoded"
        headers = {**args["headers"], "Content-Type": kind}
        answer = self.connections.post(url, body.encode(), headers)
        text = answer.data.decode(_charset(answer.headers.get("Content-Type", "")))
        return {"status": answer.status, "headers": dict(answer.headers), "body": text}

    def api_call(self, api_method: str, **options: Any) -> SlackResponse:
        if self.pauses is not None and (left := left_ms(self.pauses, api_method)):
            raise Silenced(api_method, left)
        try:
            answer = super().api_call(api_method, **options)
        except (SlackApiError, *BROKEN) as error:
            trouble = trouble_of(error)
            self._told(api_method, trouble.kind)
            if self.pauses is not None and trouble.kind is Kind.LIMITED:
                self.pauses.hold(api_method, trouble.retry_after_s)
            raise
        self._told(api_method, "ok")
        return answer

    def _told(self, method: str, result: str) -> None:
        if self.on_call is not None:
            self.on_call(method, result)


def _charset(content_type: str) -> str:
    message = Message()
    message["Content-Type"] = content_type
    return message.get_content_charset() or "utf-8"


def api_client(
    token: str,
    *,
    base_url: str,
    timeout_s: int,
    on_call: OnCall | None = None,
    pauses: Pauses | None = None,
) -> WebClient:
    """A client that tries once. `on_call` must not raise. Without `pauses` no 429 holds it back,
    which is right for a single look whose result somebody reads.

    `timeout_s` is per socket operation (connect, each read). Proxies: the SDK uses HTTPS_PROXY, or
    else HTTP_PROXY, for every address. Here the rules of urllib apply instead: HTTPS_PROXY is for
    https only, and NO_PROXY is respected (Python docs, `urllib.request`).
    """
    client = ObservedClient(
        token=token,
        base_url=base_url,
        timeout=timeout_s,
        ssl=tls(),
        user_agent_prefix=USER_AGENT,
        logger=quiet_logger(),
        retry_handlers=[],
    )
    client.connections = KeptConnections(tls(), timeout_s)
    client.on_call = on_call
    client.pauses = pauses
    return client
