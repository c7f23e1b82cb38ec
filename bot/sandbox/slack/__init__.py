"""A local Slack: a real HTTP server that keeps Slack's limits and plays the people.

Use `LocalSlack`. Sources are Slack's public documentation; where it is silent, the docstring of
the place says "assumption".
"""

from __future__ import annotations

from .deliver import Delivery
from .faults import Fault
from .local_slack import LocalSlack
from .mentions import mentions
from .modal_values import CannotDo
from .payloads import ABSENT
from .rate_limits import POST_BURST, RateLimits
from .records import ApiCall, Ephemeral, Json, Message, Origin, View

__all__ = [
    "ABSENT",
    "POST_BURST",
    "ApiCall",
    "CannotDo",
    "Delivery",
    "Ephemeral",
    "Fault",
    "Json",
    "LocalSlack",
    "Message",
    "Origin",
    "RateLimits",
    "View",
    "mentions",
]
