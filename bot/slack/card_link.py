"""Where a card is, as an address that opens it."""

from __future__ import annotations

from bot.core.request import Request


def card_url(request: Request, workspace_url: str | None) -> str | None:
    """The address that "Copy link" gives for its card (Slack docs, chat.getPermalink: the method
    would cost one call for each). `workspace_url` as `auth.test` gives it; None without it, and
    while there is no card."""
    if not workspace_url or request.card_ts is None:
        return None
    ts = request.card_ts.replace(".", "")
    return f"{workspace_url.rstrip('/')}/archives/{request.channel}/p{ts}"
