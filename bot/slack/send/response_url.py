"""Sends words to one person through the `response_url` of their command or click.

It works five times within 30 minutes (Slack docs, handling interactive payloads). With the address
anybody could post in the channel, so it is never logged; of an error only the kind is. It comes in
a request, so it is used on Slack's own host alone, and no redirect is followed.
"""

from __future__ import annotations

import ipaddress
import json
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from bot.request.messages import Drawn
from bot.slack.send.client import USER_AGENT, tls
from bot.slack.send.trouble import Kind, Trouble, answered, unanswered

_LAPSED = "response_url_lapsed"
_NOT_SLACK = Trouble(Kind.FINAL, "response_url_not_slack")


def say(url: str, drawn: Drawn, *, api_url: str, timeout_s: int) -> Trouble | None:
    """Send an ephemeral message, which never replaces another. None if Slack accepted it.
    `api_url` (SLACK_API_URL) tells which host is Slack's."""
    if not is_of_slack(url, api_url):
        return _NOT_SLACK
    body: dict[str, Any] = {
        "response_type": "ephemeral",
        "replace_original": False,
        "text": drawn.text,
    }
    if drawn.blocks:
        body["blocks"] = drawn.blocks
    headers = {"Content-Type": "application/json;charset=utf-8", "User-Agent": USER_AGENT}
    data = json.dumps(body).encode()
    request = Request(url, data, headers, method="POST")  # noqa: S310 (http and https alone)
    # With the proxies that urllib knows from the environment, NO_PROXY among them.
    opener = build_opener(HTTPSHandler(context=tls()), _NoRedirect)
    try:
        with opener.open(request, timeout=timeout_s):
            return None
    except HTTPError as error:
        with error:
            return _refused(error)
    except (OSError, HTTPException, ValueError, LookupError) as error:
        return unanswered(error)


def is_of_slack(url: str, api_url: str) -> bool:
    """Whether the address is on the host that answers commands for this Web API: for slack.com that
    is hooks.slack.com, for slack-gov.com hooks.slack-gov.com, and for a test double on this machine
    any other on this machine."""
    try:
        address, api = urlsplit(url), urlsplit(api_url)
        host, api_host, port = address.hostname or "", api.hostname or "", address.port
    except ValueError:  # no number as a port, a bracket that is not closed
        return False
    if _on_this_machine(api_host):
        return address.scheme in ("http", "https") and _on_this_machine(host)
    return address.scheme == "https" and port is None and host in (api_host, f"hooks.{api_host}")


def _on_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """None: the answer is an error with its own status."""


def _refused(error: HTTPError) -> Trouble:
    trouble = answered(error.code, f"{_LAPSED}_{error.code}", error.headers.get("Retry-After"))
    # Slack answers 404 if the address is used up or has expired, and 400 to a body that it will not
    # show. Neither changes with time. Its words are dropped, since they could quote the address.
    final = error.code < 500 and trouble.kind is Kind.PASSING
    return Trouble(Kind.FINAL, trouble.word) if final else trouble
