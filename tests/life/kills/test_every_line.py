"""`kill -9` at every named line of the life; the next one goes on; the servers saw it once.

Some passes of each line; `python -m tests.life.kills.every_line` tries all of them.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.life.kills.faults import POINTS
from tests.life.kills.killed_once import killed_once

PASSES: dict[str, tuple[int, ...]] = {
    "claim:after": (1, 3),
    "save:before": (1, 3, 5),
    "save:after": (2, 4, 6),
    "commit:before": (1, 4, 7),
    "effect:before": (2, 4),
    "effect:after": (1, 3, 5),
    "release:before": (1, 2),
    "release:after": (2,),
    "inbox:before": (1, 2),
    "inbox:after": (1, 2),
    "outbox:after": (1, 3),
    "post:before": (1, 3),
    "post:after": (1, 2, 3),
    "edit:after": (2,),
    "sent:before": (1, 4),
    "sent:after": (1, 3),
}
"""The first one where nothing is said."""


LINES = tuple(dict.fromkeys(point.partition(":")[0] for point in POINTS))
OFTEN = ("save", "intent", "delete", "post")
"""Where a kill is most dangerous; the others are tried by `make test-all`."""


@pytest.mark.parametrize(
    "line",
    [pytest.param(line, marks=() if line in OFTEN else pytest.mark.long) for line in LINES],
)
def test_killed_at(line: str, tmp_path: Path) -> None:
    points = [point for point in POINTS if point.startswith(f"{line}:")]
    passes = [(point, nth) for point in points for nth in PASSES.get(point, (1,))]
    with ThreadPoolExecutor(len(passes)) as pool:
        folders = [tmp_path / f"{point.replace(':', '-')}-{nth}" for point, nth in passes]
        for (point, nth), seen in zip(
            passes, pool.map(killed_once, *zip(*passes, strict=True), folders), strict=True
        ):
            assert seen is not None, f"a story never passes {point} no. {nth}"
