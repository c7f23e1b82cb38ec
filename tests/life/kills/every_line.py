"""`python -m tests.life.kills.every_line`: a kill at each pass of each named line of a story.

The passes of a line are tried from the first one on, until a story ends without coming to it.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

from tests.life.kills.faults import POINTS
from tests.life.kills.killed_once import killed_once
from tests.life.kills.rules import Seen

AT_ONCE = 6
"""Lines tried at the same time: a story mostly waits for a lease."""


def main() -> None:
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="vr-unpair-kills-") as folder,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        tried = pool.map(lambda point: list(passes(point, Path(folder))), POINTS)
        everything: list[Seen] = []
        for point, seen in zip(POINTS, tried, strict=True):
            states = dict(Counter(one.state.value for one in seen))
            print(f"{point}: {len(seen)} passes, {states}", flush=True)
            everything += seen
    print(
        f"{len(everything)} kills at {len(POINTS)} lines, every rule held;"
        f" DELETEs {sum(one.deletes for one in everything)},"
        f" accepted {sum(one.accepted for one in everything)},"
        f" posts that stand twice {sum(one.doubled for one in everything)};"
        f" {time.monotonic() - began:.0f} s"
    )


def passes(point: str, folder: Path) -> Iterator[Seen]:
    for nth in count(1):
        seen = killed_once(point, nth, folder / f"{point.replace(':', '-')}-{nth}")
        if seen is None:
            assert nth > 1, f"a story never passes {point}"
            return
        yield seen


if __name__ == "__main__":
    main()
