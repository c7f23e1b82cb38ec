"""What a request keeps of the policy that was in force when it was made."""

from __future__ import annotations

from bot.request import Frozen
from bot.request.pools import Pool


class Kept(Frozen):
    """What a request keeps, over a restart too, of the policy in force when it was made. Times in
    ms."""

    approval_ttl_ms: int
    execution_ttl_ms: int
    follow_ttl_ms: int
    remind_after_ms: int
    dry_run: bool
    notify: tuple[str, ...]
    label: str = ""


class Terms(Kept):
    """For one request. `pools`: what its approvals must fill. `break_glass`: BREAK_GLASS is set;
    who is in it, or in a pool, is read anew each time. `several`: there are several appliances, so
    each message names the site."""

    pools: tuple[Pool, ...]
    poll_ms: int
    timeout_ms: int
    appliance: str = ""
    break_glass: bool = False
    several: bool = False
