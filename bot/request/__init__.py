"""The life of a request, pure: nothing of the bot is imported, no Slack, HTTP, SQL or clock."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A value. It never changes, and refuses unknown fields so that a typo cannot be stored."""

    model_config = ConfigDict(frozen=True, extra="forbid")
