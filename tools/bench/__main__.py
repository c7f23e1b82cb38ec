"""`python -m tools.bench [NAME…]`: every measure, or these, printed as it comes.

All of them together write the table of the docs. A missed aim is said and is no failure: machines
differ. What cannot be measured is one.
"""

from __future__ import annotations

import sys
import time

from tools.bench import (
    acknowledging,
    appliance_calls,
    frozen_socket,
    growth,
    idling,
    long_history,
    slack_calls,
    stopping,
    stories,
    table,
    takeover,
)
from tools.bench.figures import Line
from tools.bench.installed import ROOT

MEASURES = {
    "stories": stories.measure,
    "acknowledging": acknowledging.measure,
    "takeover": takeover.measure,
    "frozen_socket": frozen_socket.measure,
    "stopping": stopping.measure,
    "idling": idling.measure,
    "slack_calls": slack_calls.measure,
    "appliance_calls": appliance_calls.measure,
    "long_history": long_history.measure,
    "growth": growth.measure,
}


def main(names: list[str]) -> None:
    unknown = sorted(set(names) - set(MEASURES))
    if unknown:
        sys.exit(f"{', '.join(unknown)}: there are {', '.join(MEASURES)}")
    began = time.monotonic()
    lines: list[Line] = []
    for name in names or MEASURES:
        for line in MEASURES[name]():
            print(table.printed(line), flush=True)
            lines.append(line)
    seconds = time.monotonic() - began
    if names:
        return
    page = ROOT / "docs" / "bench.md"
    table.write(page, lines, seconds)
    print(f"{page.relative_to(ROOT)} is written; the run took {seconds:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
