"""Lists of approvers with user groups, for tests of rights."""

from __future__ import annotations

from bot.store import audit_trail as trail
from tests.support.world import World

NIGHT, DAY = "S0NIGHT", "S0DAY"
THIRD = "U0THIRD"


def groups(*names: str, **policy: object) -> World:
    """A world whose approvers are these people and groups."""
    return World(approvers=frozenset(names), **policy)


def refusals(world: World) -> list[tuple[str, str]]:
    """Who pressed in vain and why, by the audit trail."""
    found = [r for r in trail.export(world.db) if r.action == "click_refused"]
    return [(r.actor, str(r.detail["why"])) for r in found]
