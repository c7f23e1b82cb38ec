"""Somebody opens the home tab: it is read in a thread of the look-ups, and published once.

Nothing is stored. At the worst the tab stays unfilled, and the person opens it again.
"""

from __future__ import annotations

import structlog
from slack_sdk.errors import SlackApiError

from bot.slack.draw.home import home_view
from bot.slack.receive.deps import ListenerDeps
from bot.slack.receive.payload import Json, object_of, text_of
from bot.slack.send.trouble import BROKEN, trouble_of

log = structlog.get_logger(__name__)


def home_opened(payload: Json, deps: ListenerDeps) -> None:
    """Handles the event `app_home_opened` (Slack docs), which also comes for the messages tab.
    Raises Malformed."""
    event = object_of(payload, "event")
    if text_of(event, "tab") != "home":
        return
    user = text_of(event, "user")

    def publish() -> None:
        read = deps.homes.read(user)
        myself = deps.identity.known()
        view = home_view(
            read,
            workspace_url=myself.url if myself else None,
            command=deps.command,
            now=deps.homes.now(),
        )
        try:
            deps.views.views_publish(user_id=user, view=view)
        except (SlackApiError, *BROKEN) as error:
            log.warning("home_not_published", by=user, error=trouble_of(error).word)
        else:
            log.info("home_published", by=user)

    if not deps.lookups.submit(publish):
        log.warning("home_not_read", by=user, why="too many look-ups wait")
