"""What the store tells `/metrics` at one moment: the same in every copy of the bot."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.frozen import Frozen


class Figures(Frozen):
    """`by_state`: requests by state. `oldest_ms`: how long the oldest of each unfinished state has
    been in it. `waiting`: messages that Slack does not yet show as they should be, by kind of slot;
    `unposted_ms`: the age of the oldest of them that Slack has never had. `shared`: what the copies
    share, by key. `glass_broken`: how often glass was broken, of all times."""

    at: int
    by_state: Mapping[str, int]
    oldest_ms: Mapping[str, int]
    waiting: Mapping[str, int]
    unposted_ms: Mapping[str, int]
    shared: Mapping[str, str]
    glass_broken: int
