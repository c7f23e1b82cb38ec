"""`python -m tests.planted [WORDS]`: plant every change, or those with these words in their name,
and see that its tests find it. Ends with 1 if one is not found.

`--page` also writes what came out into the table of `docs/reliability.md`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.planted import page, tree
from tests.planted.change import Change
from tests.planted.every import CHANGES
from tests.planted.tree import FAILED, PASSED, Run, Tree

WORKERS = 2

_tree: Tree
"""Each worker's own."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.planted")
    parser.add_argument("words", nargs="*")
    parser.add_argument("--page", action="store_true", help="write the table")
    asked = parser.parse_args()
    wanted = [c for c in CHANGES if not asked.words or any(w in c.name for w in asked.words)]
    began = time.monotonic()
    tree.prepare()
    with tempfile.TemporaryDirectory(prefix="vr-unpair-planted-") as folder:
        if not _green_without(Tree(Path(folder)), wanted):
            return 1
        with ProcessPoolExecutor(
            WORKERS, multiprocessing.get_context("fork"), _own_tree, (Path(folder),)
        ) as pool:
            runs = list(pool.map(_plant, wanted))
    missed = [c.name for c, run in zip(wanted, runs, strict=True) if run.status != FAILED]
    minutes = (time.monotonic() - began) / 60
    print(f"{len(wanted) - len(missed)} of {len(wanted)} changes found, {minutes:.1f} min")
    for name in missed:
        print(f"NOT FOUND: {name}")
    if asked.page:
        found = zip(wanted, runs, strict=True)
        page.write(CHANGES, {c.name: run for c, run in found if run.status == FAILED})
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


def _own_tree(folder: Path) -> None:
    global _tree
    _tree = Tree(Path(tempfile.mkdtemp(dir=folder)))


def _plant(change: Change) -> Run:
    with _tree.planting(change):
        run = _tree.run(change.found_by, "-x")
    if run.status == FAILED:
        print(f"{change.name}: {run.found} ({run.seconds:.1f} s): {run.why[:150]}", flush=True)
    else:
        print(f"{run.output}\n{change.name}: NOT FOUND (pytest: {run.status})", flush=True)
    return run


if __name__ == "__main__":
    sys.exit(main())
