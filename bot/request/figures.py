"""What the store tells `/metrics` at one moment: the same in every copy of the bot."""

from __future__ import annotations

from collections.abc import Mapping

from bot.request.frozen import Frozen


class Figures(Frozen):
    """`by_state`: how many requests are in each state. `oldest_ms`: for how long the oldest has
    been in each unfinished state. `waiting`: messages that Slack does not show yet as they should
    be, by kind of slot; `unposted_ms`: the age of the oldest of them that was never posted.
    `shared`: what the copies share, by key. `glass_broken`: how often the glass was ever broken."""

    at: int
    by_state: Mapping[str, int]
    oldest_ms: Mapping[str, int]
    waiting: Mapping[str, int]
    unposted_ms: Mapping[str, int]
    shared: Mapping[str, str]
    glass_broken: int
