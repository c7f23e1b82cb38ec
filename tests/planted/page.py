"""The table of `docs/reliability.md`: each planted change, which test finds it and how fast."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.planted.change import Change
from tests.planted.tree import ROOT, Run

PAGE = Path("docs/reliability.md")
HEAD = "| what is changed | found by | s |\n| --- | --- | --- |\n"
_TABLE = re.compile(re.escape(HEAD) + r"(?:\|.*\n)*")


def rows() -> dict[str, str]:
    """The row of each change that the page names, in its order."""
    found = _TABLE.search((ROOT / PAGE).read_text())
    assert found, f"{PAGE} has no such table any more"
    return {row.split(" | ")[0][2:]: row for row in found.group().splitlines()[2:]}


def write(every: Sequence[Change], runs: Mapping[str, Run]) -> None:
    """With new rows for those that were run, and without those that are no more."""
    made = rows() | {
        name: f"| {name} | `{run.found.partition('[')[0]}` | {run.seconds:.0f} |"
        for name, run in runs.items()
    }
    table = "".join(f"{made[each.name]}\n" for each in every if each.name in made)
    text = (ROOT / PAGE).read_text()
    (ROOT / PAGE).write_text(_TABLE.sub(lambda _: HEAD + table, text))
