"""The address of the next WebSocket to Slack, from `apps.connections.open` (Slack docs)."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.slack.send.trouble import BROKEN, Kind, trouble_of

TIMEOUT_S = 5
"""Per socket operation. Nobody waits for it, but it must not delay a stop for long."""


class NoAddress(Exception):
    """Its text may be shown. `wait_s` is how long Slack asked to wait, 0 if it did not."""

    def __init__(self, words: str, wait_s: int = 0) -> None:
        super().__init__(words)
        self.wait_s = wait_s


class Addresses:
    """`client` has the app-level token (see `client.api_client`)."""

    def __init__(self, client: WebClient) -> None:
        self._client = client

    def new(self) -> str:
        """An address for one connection. It is secret, since it holds a ticket. Raises
        NoAddress."""
        client = self._client
        try:
            url = client.apps_connections_open(app_token=client.token or "").get("url")
        except (SlackApiError, *BROKEN) as error:
            trouble = trouble_of(error)
            words = f"apps.connections.open: {trouble.word}"
            if trouble.kind is Kind.ACCOUNT:
                words += " (is SLACK_APP_TOKEN right, with the scope connections:write?)"
            raise NoAddress(words, trouble.retry_after_s) from error
        return self._checked(url)

    def _checked(self, url: object) -> str:
        """The address, if it is secure. The SDK speaks TLS on port 443 only (SDK source,
        `builtin.internals`), so with any other `wss:` address it would send the ticket and the
        clicks unencrypted. Raises NoAddress."""
        try:
            parts = urlsplit(url if isinstance(url, str) else "")
            secure = parts.scheme == "wss" and parts.port in (None, 443)
            double = parts.scheme == "ws" and self._client.base_url.startswith("http://")
            if not (parts.hostname and (secure or double)):
                raise NoAddress("apps.connections.open gave an address that is not secure")
        except ValueError as error:  # a port that is no number
            raise NoAddress("apps.connections.open gave no address") from error
        return urlunsplit(parts._replace(path=parts.path or "/"))
