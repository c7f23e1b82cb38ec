"""The one base of everything the core stores or passes on."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A value: never changed in place, unknown fields refused, so that a typo cannot be stored."""

    model_config = ConfigDict(frozen=True, extra="forbid")
