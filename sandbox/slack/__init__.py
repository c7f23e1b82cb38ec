"""A local Slack: a real HTTP server that keeps Slack's limits and plays the people.

Use `LocalSlack`. Sources are Slack's public documentation; where it is silent, the docstring of
the place says "assumption".
"""

from __future__ import annotations

from .local_slack import Fault, LocalSlack
from .modals import CannotDo
from .records import ApiCall, Ephemeral, Json, Message, View
from .signed_requests import Delivery
from .thread_text import mentions, render_thread

__all__ = [
    "ApiCall",
    "CannotDo",
    "Delivery",
    "Ephemeral",
    "Fault",
    "Json",
    "LocalSlack",
    "Message",
    "View",
    "mentions",
    "render_thread",
]
