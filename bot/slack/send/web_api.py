"""Makes every client of Slack's Web API: short timeouts, no retries, connections kept for a moment.

By default the SDK waits 30 s, and sends again if an answer was lost, which can post a message twice
(SDK source, `http_retry.default_retry_handlers`). It also opens a connection for each call
(`_perform_urllib_http_request`). That is a TLS handshake each time, and an approval makes several
calls before anything is sent. A connection that has been idle is not used again: Slack may have
closed it, and a post whose answer is lost may appear twice.
"""

from __future__ import annotations

import json
import logging
import ssl
import time
from collections.abc import Callable
from functools import cache
from http.client import HTTPException
from typing import Any
from urllib.error import URLError
from urllib.parse import unquote, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse
from urllib3 import BaseHTTPResponse, PoolManager, ProxyManager, Timeout, make_headers
from urllib3.exceptions import ConnectTimeoutError, HTTPError, ProxyError, SSLError

from bot import __version__
from bot.slack.send.slack_problem import BROKEN, Kind, Silenced, problem_of
from bot.store.slack_pauses import Pauses

OnCall = Callable[[str, str], None]

SecretNow = Callable[[bool], str]
"""A secret of Slack's as it is set now; with True after it was refused, so it is read again."""

USER_AGENT = f"vr-unpair/{__version__}"

POST_TIMEOUT_S = 8
"""For the poster, per socket operation. Only the next message waits for it."""

CONNECT_TIMEOUT_S = 3
"""For a connection, TLS included; less where the timeout of the call is shorter."""

QUICK_TIMEOUT_S = 2
"""For a call inside a listener: Slack wants its acknowledgement within 3 s."""

PEOPLE_TIMEOUT_S = 3
"""For `users.info`: somebody has clicked and is waiting."""


_LIBRARY = logging.getLogger("bot.slack.library")
_LIBRARY.setLevel(logging.WARNING)
# At DEBUG the Slack libraries log whole bodies with `response_url`, with which anybody who reads
# the log could post in the channel. Set here, since they look at the level of this very logger.
logging.getLogger("urllib3").setLevel(logging.WARNING)
# At DEBUG it logs each path, and that of a `response_url` is all of its secret.


@cache
def tls() -> ssl.SSLContext:
    """The system's trust, read once. Otherwise each call would load all certificates anew."""
    return ssl.create_default_context()


def longest_s(timeout_s: float) -> float:
    """The timeouts of one `api_call` together. It calls twice if the token has changed."""
    return 2 * (min(CONNECT_TIMEOUT_S, timeout_s) + timeout_s)


# ---- connections --------------------------------------------------------------------------------

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


def pool_for(url: str, timeout_s: float) -> PoolManager:
    """Connections to this address. `timeout_s` is per socket operation."""
    options: dict[str, Any] = {
        "ssl_context": tls(),
        "timeout": Timeout(connect=min(CONNECT_TIMEOUT_S, timeout_s), read=timeout_s),
        "maxsize": KEPT_MOST,
    }
    proxy = proxy_for(url)
    if proxy is None:
        return PoolManager(**options)
    credentials = unquote(urlsplit(proxy).netloc.rpartition("@")[0]) or None
    return ProxyManager(proxy, proxy_headers=make_headers(proxy_basic_auth=credentials), **options)


def post_once(
    pool: PoolManager, url: str, body: bytes, kind: str, **headers: str
) -> BaseHTTPResponse:
    """One try, no redirect. Raises what `urlopen` would have raised: URLError if there was no
    connection, and otherwise the OSError or HTTPException itself."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise URLError("neither http nor https")
    try:
        return pool.urlopen(
            "POST",
            url,
            body=body,
            headers={"User-Agent": USER_AGENT, **headers, "Content-Type": kind},
            retries=False,
            redirect=False,
        )
    except HTTPError as error:
        beneath = error.__cause__ or error.__context__
        if not isinstance(beneath, OSError | HTTPException):
            raise URLError(str(error)) from error
        if isinstance(error, ConnectTimeoutError | SSLError | ProxyError):
            raise URLError(beneath) from error
        raise beneath from error


# ---- clients ------------------------------------------------------------------------------------


class ObservedClient(WebClient):
    """Reports how each call ended: the method, and `ok` or a `problem.Kind`. While a 429 holds a
    method back, it raises `Silenced` instead of calling it. Keeps its connections for a moment.
    Each call has the token as it is set now; if that has changed when one was refused, the call is
    made again with the new one: Slack has done nothing for the old one."""

    token_now: SecretNow
    on_call: OnCall
    pauses: Pauses | None = None
    pool: PoolManager
    used_at = 0.0

    def _perform_urllib_http_request(
        self, *, url: str, args: dict[str, dict[str, Any]]
    ) -> dict[str, Any]:
        """Replaces the SDK's own, which opens a connection for each call and can retry. Neither is
        wanted here. Files are not supported, since nothing sends any."""
        if args["json"]:
            body, kind = json.dumps(args["json"]), "application/json;charset=utf-8"
        else:
            body, kind = urlencode(args["params"] or {}), "application/x-www-form-urlencoded"
        if time.monotonic() - self.used_at > IDLE_SECONDS:
            self.pool.clear()
        try:
            answer = post_once(self.pool, url, body.encode(), kind, **args["headers"])
        finally:
            self.used_at = time.monotonic()
        headers = dict(answer.headers)
        return {"status": answer.status, "headers": headers, "body": answer.data.decode()}

    def api_call(self, api_method: str, **options: Any) -> SlackResponse:
        if self.pauses is not None and (left := self.pauses.left_ms(api_method)):
            raise Silenced(api_method, left)
        used = self.token_now(False)
        try:
            return self._call(used, api_method, options)
        except SlackApiError as error:
            refused = problem_of(error).kind is Kind.ACCOUNT
            if not refused or (new := self.token_now(True)) == used:
                raise
        return self._call(new, api_method, options)

    def _call(self, token: str, api_method: str, options: dict[str, Any]) -> SlackResponse:
        # Another thread may set a newer one before the call: that one is no worse.
        self.token = token
        try:
            answer = super().api_call(api_method, **options)
        except (SlackApiError, *BROKEN) as error:
            problem = problem_of(error)
            self.on_call(api_method, problem.kind)
            if self.pauses is not None and problem.kind is Kind.LIMITED:
                self.pauses.hold(api_method, problem.retry_after_s)
            raise
        self.on_call(api_method, "ok")
        return answer


def api_client(
    token: str | SecretNow,
    *,
    base_url: str,
    timeout_s: int,
    on_call: OnCall = lambda _method, _result: None,
    pauses: Pauses | None = None,
) -> WebClient:
    """A client that tries once. `token`: a text, or what gives it as it is set now. `on_call` must
    not raise. Without `pauses` no 429 holds it back, which is right for a single look whose result
    somebody reads.

    `timeout_s` is per socket operation (connect, each read). Proxies: the SDK uses HTTPS_PROXY, or
    else HTTP_PROXY, for every address. Here the rules of urllib apply instead: HTTPS_PROXY is for
    https only, and NO_PROXY is respected (Python docs, `urllib.request`).
    """
    token_now = token if callable(token) else lambda _refused: token
    client = ObservedClient(
        token=token_now(False),
        base_url=base_url,
        timeout=timeout_s,
        ssl=tls(),
        user_agent_prefix=USER_AGENT,
        logger=_LIBRARY,
        retry_handlers=[],
    )
    client.pool = pool_for(base_url, timeout_s)
    client.token_now = token_now
    client.on_call = on_call
    client.pauses = pauses
    return client
