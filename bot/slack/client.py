"""How every client of Slack's Web API is made: with deadlines, and without anything that repeats.

The SDK's defaults would wait 30 s and send again when an answer was lost, which posts twice
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
from bot.core.delivery import PausesPort
from bot.slack.kept_connections import KeptConnections
from bot.slack.pauses import Silenced, left_ms
from bot.slack.trouble import BROKEN, Kind, trouble_of

OnCall = Callable[[str, str], None]

USER_AGENT = f"vr-unpair/{__version__}"

POST_TIMEOUT_S = 10
"""For the poster, per socket operation: nobody waits for it but the next message."""

QUICK_TIMEOUT_S = 2
"""For a call inside a listener: Slack wants its acknowledgement within 3 s."""

PRESS_TIMEOUT_S = 1
"""For who somebody is, asked inside a listener before it opens a form: both within those 3 s."""

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


class ObservedClient(WebClient):
    """Tells how each call ended: the method, and `ok` or a `trouble.Kind`. Makes no call of a
    method that a 429 holds back, and raises `Silenced` instead. Keeps its connections."""

    on_call: OnCall | None = None
    pauses: PausesPort | None = None
    connections: KeptConnections

    def _perform_urllib_http_request(
        self, *, url: str, args: dict[str, dict[str, Any]]
    ) -> dict[str, Any]:
        """In the place of the SDK's own, which opens a connection for each call and tries again
        where it is told to: neither is wanted here. Nothing here sends files."""
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
    pauses: PausesPort | None = None,
) -> WebClient:
    """A client that tries once. `on_call` must not raise. Without `pauses` it obeys no 429: for
    who looks once and tells somebody.

    `timeout_s` is per socket operation (connect, each read). Proxies: the SDK takes HTTPS_PROXY, or
    else HTTP_PROXY, for every address; here the rules of urllib decide instead, so HTTPS_PROXY is
    for https alone and NO_PROXY is respected (Python docs, `urllib.request`).
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
