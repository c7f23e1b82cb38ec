"""`python -m tests.kills.planted_bugs`: after how many histories the simulation finds each bug."""

from __future__ import annotations

import sys
import time

from tests.simulation.planted import BUGS
from tests.simulation.runner import first_violation

BUDGET = 1_500


def main() -> int:
    missed = 0
    for bug in BUGS:
        began = time.monotonic()
        found = first_violation(range(BUDGET), bug)
        if found is None:
            missed += 1
            print(f"{bug.name}: NOT FOUND in {BUDGET} histories", flush=True)
            continue
        rule = str(found[1]).splitlines()[0].partition(": ")[2]
        seconds = time.monotonic() - began
        print(f"{bug.name}: history {found[0].seed + 1} ({seconds:.1f} s): {rule}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
