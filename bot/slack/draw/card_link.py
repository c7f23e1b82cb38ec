"""The address that opens a card in Slack."""

from __future__ import annotations

from bot.request.model import Request


def card_url(request: Request, workspace_url: str | None) -> str | None:
    """The same address that "Copy link" gives. It is put together here, since chat.getPermalink
    (Slack docs) would cost a call for each card. `workspace_url` comes from `auth.test`. None
    without it, and while there is no card."""
    if not workspace_url or request.card_ts is None:
        return None
    ts = request.card_ts.replace(".", "")
    return f"{workspace_url.rstrip('/')}/archives/{request.channel}/p{ts}"
