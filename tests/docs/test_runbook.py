"""The runbook has one entry for each line of `check` and for each final state, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from bot.operate.check import NAMES
from bot.request.model import OPEN, State
from bot.settings import PROXIES, setting_names

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")


def rows(heading: str) -> dict[str, list[str]]:
    """First cell to the others, of the table under this heading."""
    section = RUNBOOK.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found: dict[str, list[str]] = {}
    for line in section.splitlines():
        if line.startswith("| `"):
            name, *cells = (cell.strip() for cell in line.strip("|").split(" | "))
            assert name not in found, "an entry stands twice"
            found[name.strip("`")] = cells
    return found


def test_each_line_of_check_has_an_entry() -> None:
    found = rows("A line of `vr-unpair check` is wrong")
    assert list(found) == list(NAMES)
    assert all(len(cells) == 2 and all(cells) for cells in found.values())


def test_each_final_state_has_an_entry() -> None:
    found = rows("A request has ended")
    assert set(found) == {state.value for state in State if state not in OPEN}
    assert all(len(cells) == 2 and all(cells) for cells in found.values())


def test_it_names_settings_that_there_are() -> None:
    written = set(re.findall(r"`([A-Z][A-Z_]{3,})(?:=[a-z]+)?`", RUNBOOK))
    assert written - set(PROXIES) <= set(setting_names())
    assert len(written) > 10


def test_the_readme_leads_here() -> None:
    assert "docs/runbook.md" in (ROOT / "README.md").read_text(encoding="utf-8")
