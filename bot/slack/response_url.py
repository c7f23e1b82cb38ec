"""Sends words to one person through the `response_url` of their command or click.

It works five times within 30 minutes (Slack docs, handling interactive payloads). With the address
anybody could post in the channel, so it is never logged; of an error only the kind is.
"""

from __future__ import annotations

from http.client import HTTPException

from slack_sdk.errors import SlackRequestError
from slack_sdk.webhook import WebhookClient

from bot.core.delivery import Drawn
from bot.slack.client import USER_AGENT, quiet_logger, tls
from bot.slack.trouble import Kind, Trouble, answered

_LAPSED = "response_url_lapsed"


def say(url: str, drawn: Drawn, *, timeout_s: int) -> Trouble | None:
    """Send an ephemeral message, which never replaces another. None if Slack accepted it."""
    client = WebhookClient(
        url,
        timeout=timeout_s,
        ssl=tls(),
        user_agent_prefix=USER_AGENT,
        logger=quiet_logger(),
        retry_handlers=[],
    )
    client.proxy = None  # as in `client.api_client`: urllib knows NO_PROXY
    body = {
        "response_type": "ephemeral",
        "replace_original": False,
        "text": drawn.text,
        "blocks": list(drawn.blocks) or None,
    }
    try:
        answer = client.send_dict(body)
    except (OSError, HTTPException, SlackRequestError, ValueError, LookupError) as error:
        return Trouble(Kind.PASSING, type(error).__name__, away=True)
    if answer.status_code == 200:
        return None
    headers = answer.headers
    trouble = answered(
        answer.status_code,
        f"{_LAPSED}_{answer.status_code}",
        headers.get("Retry-After") or headers.get("retry-after"),
    )
    # Slack answers 404 if the address is used up or has expired, and 400 to a body that it will not
    # show. Neither changes with time. Its words are dropped, since they could quote the address.
    refused = 400 <= answer.status_code < 500 and trouble.kind is Kind.PASSING
    return Trouble(Kind.FINAL, trouble.word) if refused else trouble
