"""`python -m tests.planted [WORDS]`: plant every change, or those with these words in their name,
and see that its tests find it. Ends with 1 if one is not found."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.planted import every
from tests.planted.change import Change
from tests.planted.tree import FAILED, PASSED, Run, Tree

WORKERS = 2


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.planted")
    parser.add_argument("words", nargs="*")
    asked = parser.parse_args()
    wanted = [c for c in every.CHANGES if not asked.words or any(w in c.name for w in asked.words)]
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="vr-unpair-planted-") as folder:
        trees = [Tree(Path(folder) / str(number)) for number in range(WORKERS)]
        if not _green_without(trees[0], wanted):
            return 1
        free = SimpleQueue[Tree]()
        for tree in trees:
            free.put(tree)

        def plant(change: Change) -> Run:
            tree = free.get()
            try:
                return _plant(tree, change)
            finally:
                free.put(tree)

        with ThreadPoolExecutor(WORKERS) as pool:
            runs = dict(zip([c.name for c in wanted], pool.map(plant, wanted), strict=True))
    missed = [name for name, run in runs.items() if run.status != FAILED]
    minutes = (time.monotonic() - began) / 60
    print(f"{len(runs) - len(missed)} of {len(runs)} changes found, {minutes:.1f} min")
    for name in missed:
        print(f"NOT FOUND: {name}")
    return 1 if missed else 0


def _green_without(unchanged: Tree, wanted: Sequence[Change]) -> bool:
    """Whether the tests pass while nothing is planted: red ones would find anything."""
    tests = sorted({test for change in wanted for test in change.found_by})
    run = unchanged.run(tests, "-n", str(WORKERS))
    if run.status == PASSED:
        print(f"nothing planted: every test passes ({run.seconds:.0f} s)", flush=True)
        return True
    print(run.output)
    print("Nothing is planted, and the tests fail: mend that first.")
    return False


def _plant(tree: Tree, change: Change) -> Run:
    with tree.planting(change):
        run = tree.run(change.found_by, "-x")
    if run.status == FAILED:
        print(f"{change.name}: {run.found} ({run.seconds:.1f} s): {run.why[:150]}", flush=True)
    else:
        print(f"{run.output}\n{change.name}: NOT FOUND (pytest: {run.status})", flush=True)
    return run


if __name__ == "__main__":
    sys.exit(main())
