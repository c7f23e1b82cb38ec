"""`vr-unpair`, whose database has another clock: `python -m tests.support.bot_with_clock run`.

The file `clock` in its folder says by how many milliseconds it is ahead; the test writes it.
"""

from __future__ import annotations

from pathlib import Path

import bot.store.database
from bot.__main__ import main

CLOCK = "clock"

real = bot.store.database.wall_clock_ms


def ahead() -> int:
    file = Path(CLOCK)
    return real() + (int(file.read_text() or "0") if file.exists() else 0)


if __name__ == "__main__":
    bot.store.database.wall_clock_ms = ahead
    main()
