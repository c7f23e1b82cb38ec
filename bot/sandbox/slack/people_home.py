"""People open the home tab of the app: the event, and what the bot has published there."""

from __future__ import annotations

import json
from typing import Literal

from . import payloads
from .deliver import JSON, Delivery
from .people_fill import PeopleFill
from .records import Json


class PeopleHome(PeopleFill):
    """The home tab. Slack keeps one view for each person (Slack docs, views.publish)."""

    def open_home(self, user: str, *, tab: Literal["home", "messages"] = "home") -> Delivery:
        """Opens the app and one of its tabs. Raises KeyError for an unknown person."""
        ws = self.workspace
        with ws.changing():
            payload = payloads.home_opened_payload(ws, ws.people[user], tab)
        return self._deliver("event_callback", payload, json.dumps(payload).encode(), JSON)

    def home(self, user: str) -> Json | None:
        """What the bot published last for this person; None: nothing yet."""
        with self.workspace.lock:
            return self.workspace.homes.get(user)
