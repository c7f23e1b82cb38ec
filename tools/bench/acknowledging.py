"""From a signed command to its acknowledgement: stored by the real bot, against a bare no-op.

First one at a time, to a bot and to a bare one in turn, each of them at rest: the bot on SQLite, on
PostgreSQL (with fsync on, unlike that of the tests), and on SQLite against a bare bot that runs its
listener as Bolt's own examples do, not in the quickest way that Bolt has. Then many at once
(`at_once.py`). Connections are kept. What was acknowledged must be stored.
"""

from __future__ import annotations

from collections.abc import Sequence

from tools.bench import at_once
from tools.bench.figures import Aim, Line
from tools.bench.in_turn import in_turn
from tools.bench.takers import Taker, takers

ROUNDS = 7
COMMANDS_PER_ROUND = 30

BARE = "bare no-op command, waitress, process_before_response"
BARE_DEFAULT = "bare no-op command, waitress, Bolt's default runner"


def measure() -> list[Line]:
    with takers() as (world, them):
        pairs = (
            (them.on_sqlite, them.bare),
            (them.on_postgres, them.bare),
            (them.on_sqlite, them.bare_default),
        )

        def command(to: Taker) -> float:
            return to.seconds_to_acknowledge(world)

        rounds = [
            [in_turn(1, COMMANDS_PER_ROUND, command, *pair)[0] for pair in pairs]
            for _ in range(ROUNDS)
        ]
        many = at_once.rounds(world, them.on_sqlite, them.bare)
        commands = ROUNDS * COMMANDS_PER_ROUND
        _require_stored(them.on_sqlite, 2 * commands + len(many) * at_once.COMMANDS)
        _require_stored(them.on_postgres, commands)
    sqlite, postgres, default = zip(*rounds, strict=True)
    return [
        _line("command to acknowledgement, one at a time", BARE, sqlite, Aim(3.5)),
        _line("… on PostgreSQL", BARE, postgres, Aim(5)),
        _line("… on SQLite", BARE_DEFAULT, default, Aim(0.25)),
        *at_once.lines(many, BARE),
    ]


def _line(name: str, against: str, medians: Sequence[tuple[float, float]], aim: Aim) -> Line:
    ours, its = zip(*medians, strict=True)
    count = f"medians of {len(medians)} rounds of {COMMANDS_PER_ROUND}"
    return Line.compared(name, against, "ms", ours, its, count, (aim,))


def _require_stored(taker: Taker, commands: int) -> None:
    """Raises RuntimeError when not each of them is there exactly once."""
    found = taker.stored.commands() if taker.stored else 0
    if found != commands:
        raise RuntimeError(f"{commands} commands were acknowledged, and {found} are stored")
