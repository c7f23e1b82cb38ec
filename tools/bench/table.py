"""The table as it is printed and as it is kept in the docs."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from tools.bench.figures import Line

HEAD = ("measure", "against", "ratio", "with the bot", "bare", "of", "aim", "")

ABOUT = """\
# Measured

Written by `make bench`; what is measured and how is in `tools/bench/`. Every line was measured in
one run side by side with what it is compared to, in rounds that alternate. Three figures are
minimum/median/maximum. The ratios are what holds; absolute times are those of one machine.
"""


def printed(line: Line) -> str:
    """One line for the terminal, ratio first."""
    aimed = f" (aim {line.aimed}: {line.verdict})" if line.aims else ""
    bare = f" against {line.bare.text()} {line.unit}" if line.bare else ""
    return (
        f"{_ratio(line):>20}  {line.measure}: {line.ours.text()} {line.unit}{bare}, "
        f"{line.against}; {line.count}{aimed}"
    )


def document(lines: Sequence[Line], seconds: float) -> str:
    """The whole page."""
    rows = [_row(HEAD), _row(["---"] * len(HEAD)), *(_row(_cells(line)) for line in lines)]
    where = (
        f"Python {platform.python_version()}, slack-bolt {version('slack-bolt')}, "
        f"slack-sdk {version('slack-sdk')}, SQLAlchemy {version('sqlalchemy')}, "
        f"SQLite {sqlite3.sqlite_version}, {os.cpu_count()} cores, {platform.system()}; "
        f"the run took {seconds:.0f} s."
    )
    return "\n".join([ABOUT, *rows, "", where, ""])


def write(path: Path, lines: Sequence[Line], seconds: float) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(document(lines, seconds), encoding="utf-8")


def _cells(line: Line) -> Sequence[str]:
    return (
        line.measure,
        line.against,
        _ratio(line),
        f"{line.ours.text()} {line.unit}",
        f"{line.bare.text()} {line.unit}" if line.bare else "",
        line.count,
        line.aimed,
        line.verdict,
    )


def _ratio(line: Line) -> str:
    return f"{line.ratio.text()} x" if line.ratio else ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
