"""`python -m tests.bench`: every measure, printed as it comes, and the table for the docs.

A missed aim is said and is no failure: machines differ. What cannot be measured is one.
"""

from __future__ import annotations

import time

from tests.bench import acknowledging, stories, table
from tests.bench.figures import Line
from tests.bench.processes import ROOT

MEASURES = (stories.measure, acknowledging.measure)


def main() -> None:
    began = time.monotonic()
    lines: list[Line] = []
    for measure in MEASURES:
        for line in measure():
            print(table.printed(line), flush=True)
            lines.append(line)
    seconds = time.monotonic() - began
    page = ROOT / "docs" / "bench.md"
    table.write(page, lines, seconds)
    print(f"{page.relative_to(ROOT)} is written; the run took {seconds:.0f} s")


if __name__ == "__main__":
    main()
