"""All planted changes; and the table of `docs/reliability.md`: which test finds each, how fast."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tests.planted.life import LIFE
from tests.planted.outside import APPLIANCE, SLACK
from tests.planted.rules import RULES
from tests.planted.store import STORE
from tests.planted.tree import ROOT, Run

CHANGES = (*LIFE, *STORE, *APPLIANCE, *SLACK, *RULES)

PAGE = Path("docs/reliability.md")
HEAD = "| what is changed | found by | s |\n| --- | --- | --- |\n"
_TABLE = re.compile(re.escape(HEAD) + r"(?:\|.*\n)*")


def rows() -> dict[str, str]:
    """The row of each change that the page names, in its order."""
    found = _TABLE.search((ROOT / PAGE).read_text())
    assert found, f"{PAGE} has no such table any more"
    return {row.split(" | ")[0][2:]: row for row in found.group().splitlines()[2:]}


def write(runs: Mapping[str, Run]) -> None:
    """With new rows for those that were run, and without those that are no more."""
    made = rows() | {
        name: f"| {name} | `{run.found.partition('[')[0]}` | {run.seconds:.0f} |"
        for name, run in runs.items()
    }
    table = "".join(f"{made[each.name]}\n" for each in CHANGES if each.name in made)
    text = (ROOT / PAGE).read_text()
    (ROOT / PAGE).write_text(_TABLE.sub(lambda _: HEAD + table, text))
