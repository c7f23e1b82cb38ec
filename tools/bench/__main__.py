"""`python -m tools.bench [NAME…] [--make-test MINUTES:SECONDS]`: every measure, or these, printed
as it comes.

All of them together write the table of the docs. A missed aim is said and is no failure: machines
differ. What cannot be measured is one. How long `make test` takes is not measured here: read it
from the last line of its own output, and give it with `--make-test` for its row in the table.
"""

from __future__ import annotations

import argparse
import time

from tools.bench import (
    acknowledging,
    appliance_calls,
    clicking,
    crowd,
    ending,
    figures,
    idling,
    long_history,
    start_and_memory,
)
from tools.bench.figures import Aim, Line
from tools.bench.processes import ROOT

MEASURES = {
    "acknowledging": acknowledging.measure,
    "clicking": clicking.measure,
    "crowd": crowd.measure,
    "starting": start_and_memory.starting,
    "growing": start_and_memory.growing,
    "idling": idling.measure,
    "appliance_calls": appliance_calls.measure,
    "long_history": long_history.measure,
    "ending": ending.measure,
}
PAGE = ROOT / "docs" / "dev" / "bench.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MEASURES))
    parser.add_argument("--make-test", type=_seconds, metavar="MINUTES:SECONDS")
    told = parser.parse_args()
    unknown = sorted(set(told.names) - set(MEASURES))
    if unknown:
        parser.error(f"{', '.join(unknown)}: there are {', '.join(MEASURES)}")
    began = time.monotonic()
    lines: list[Line] = []
    for name in told.names or MEASURES:
        since = time.monotonic()
        for line in MEASURES[name]():
            print(figures.printed(line), flush=True)
            lines.append(line)
        print(f"{'':>20}  ({name} took {time.monotonic() - since:.0f} s)", flush=True)
    if told.make_test is not None:
        lines.append(_of_the_tests(told.make_test))
        print(figures.printed(lines[-1]))
    if told.names:
        return
    seconds = time.monotonic() - began
    PAGE.write_text(figures.page(lines, seconds), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} is written; the run took {seconds:.0f} s")


def _of_the_tests(seconds: float) -> Line:
    where = "on the same machine, by its own last line"
    aim = Aim(300, absolute=True)
    return Line.alone("`make test`", where, "s", [seconds], "1 run", aim)


def _seconds(text: str) -> float:
    minutes, _, seconds = text.partition(":")
    return 60 * int(minutes) + int(seconds)


if __name__ == "__main__":
    main()
