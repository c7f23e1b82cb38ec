"""A crowd at once: a hundred requests wait, and fifty of them are approved within a second.

With a bot that is set by default. Each click has to be acknowledged and decided soon, whatever the
appliance's budget lets happen after that. The second fifty come right behind, while the first ones
are being carried out: a hundred are open all the time.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from sandbox.slack.records import Message
from tests.support.clock import wait_for
from tests.support.way_in import OverHttp
from tools.bench.default_bots import DefaultBot, default_bots
from tools.bench.figures import Aim, Line
from tools.bench.worlds import PATIENCE_SECONDS, World

OPEN = 100
CLICKS = 50
EVERY_SECONDS = 1.0 / CLICKS

DECIDED = """
SELECT messages.ts, audit.at FROM audit
JOIN messages ON messages.request_id = audit.request_id AND messages.slot = 'card'
WHERE audit.action = 'approved'
"""


def measure() -> list[Line]:
    acknowledged: list[float] = []
    decided: list[float] = []
    with default_bots([OverHttp()], _prepare, calls_per_minute=None) as (one,):
        cards = one.world.slack.messages(one.world.channel)[:OPEN]
        for first in range(0, OPEN, CLICKS):
            taken, approved = _clicked(one, cards[first : first + CLICKS])
            acknowledged += taken
            decided += approved
    clicks = f"{OPEN // CLICKS} rounds of {CLICKS} clicks within a second"
    what = f"{OPEN} requests open: a click to its acknowledgement"
    each = {"absolute": True, "each": True}
    return [
        Line.alone(what, "Slack waits for 3 s", "ms", acknowledged, clicks, Aim(500, **each)),
        Line.alone("… to its decision", "stored", "ms", decided, clicks, Aim(5000, **each)),
        Line.alone(
            "… clicks that were lost",
            "not acknowledged, or decided by nobody",
            "clicks",
            [OPEN - len(decided)],
            clicks,
            Aim(0, absolute=True),
        ),
    ]


def _prepare(_number: int, world: World) -> None:
    world.ask_many(OPEN)


def _clicked(one: DefaultBot, cards: list[Message]) -> tuple[list[float], list[float]]:
    """Milliseconds to each acknowledgement and to each decision, of those that came."""
    world = one.world
    begin = time.monotonic() + 0.1

    def click(number: int) -> tuple[str, float, float | None]:
        time.sleep(max(0.0, begin + number * EVERY_SECONDS - time.monotonic()))
        at, began = time.time(), time.perf_counter()
        delivery = world.slack.click(world.alan, cards[number], "unpair_approve")
        took = time.perf_counter() - began
        return cards[number].ts, at, took if delivery.ok else None

    with ThreadPoolExecutor(len(cards)) as people:
        clicks = list(people.map(click, range(len(cards))))
    at = {ts: when for ts, when, seconds in clicks if seconds is not None}

    def decided() -> dict[str, float]:
        return {
            row.ts: row.at / 1000 - at[row.ts] for row in one.stored.rows(DECIDED) if row.ts in at
        }

    with suppress(AssertionError):  # the line says how many are missing
        wait_for(lambda: len(decided()) == len(at), PATIENCE_SECONDS)
    taken = [1000 * seconds for _, _, seconds in clicks if seconds is not None]
    return taken, [1000 * seconds for seconds in decided().values()]
