"""`python -m tests.life.simulation [HISTORIES [FIRST_SEED]]`: as many histories as you like."""

from __future__ import annotations

import sys
import time

from tests.life.simulation.runner import first_violation, shrink, story


def main() -> int:
    histories = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    began = time.monotonic()
    for seed in range(first, first + histories, 1_000):
        last = min(seed + 1_000, first + histories)
        if found := first_violation(range(seed, last)):
            print(story(*shrink(found[0])))
            return 1
        done = last - first
        print(f"{done} histories, every rule held, {time.monotonic() - began:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
