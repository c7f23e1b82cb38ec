"""What each start of the bot writes into the audit trail: the policy in force, and what changed."""

from __future__ import annotations

from typing import Any

from bot.request.entries import SYSTEM, Entry
from bot.request.frozen import Frozen
from bot.request.policy import Policy

STARTED = "started"


class Running(Frozen):
    """One start of `vr-unpair run`; nothing in it is a secret. `mode` is the way in from Slack."""

    version: str
    mode: str
    command: str
    policy: Policy


def started(running: Running, before: dict[str, Any] | None, now: int) -> Entry:
    """`before` is the detail of the start before this one; None when this is the first."""
    detail = _plain(running)
    if before is not None:
        names = sorted((detail.keys() | before.keys()) - {"changed"})
        detail["changed"] = {
            name: {"before": before.get(name), "after": detail.get(name)}
            for name in names
            if before.get(name) != detail.get(name)
        }
    return Entry(action=STARTED, actor=SYSTEM, at=now, detail=detail)


def _plain(running: Running) -> dict[str, Any]:
    """All names on one level, and people sorted, so that an equal policy gives an equal record."""
    policy = running.policy.model_dump(mode="json")
    for name, value in running.policy:
        if isinstance(value, frozenset):
            policy[name] = sorted(value)
    return {**running.model_dump(mode="json", exclude={"policy"}), **policy}
