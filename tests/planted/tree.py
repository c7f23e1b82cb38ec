"""A copy of the checkout in which a change is planted and its tests are run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.planted.change import Change, planted, sources

ROOT = Path(__file__).parents[2]
SECONDS_MOST = 600

PASSED, FAILED = 0, 1
"""What pytest ends with. Anything else means that it could not run the tests."""

PYTEST = (sys.executable, "-m", "pytest", "-q", "-rfE", "-p", "no:cacheprovider", "-m", "")


@dataclass(frozen=True)
class Run:
    """What came of some tests: `found` is the test that failed first, `why` the first line of its
    error."""

    status: int
    seconds: float
    found: str
    why: str
    output: str


class Tree:
    """Everything that is run in it imports `bot` and `tests` from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.folder / name)
        self._texts = sources(self.folder)
        self._planted = 0

    @contextmanager
    def planting(self, change: Change) -> Iterator[None]:
        """Raises DoesNotApply."""
        made = planted(self.folder, self._texts, change)
        self._planted += 1
        before = {path: path.stat() for path in made}
        for path, text in made.items():
            path.write_text(text)
            # Python goes by second and size when it asks whether what it has compiled is fresh.
            mark = before[path].st_mtime + self._planted
            os.utime(path, (mark, mark))
        try:
            yield
        finally:
            for path, stat in before.items():
                path.write_text(self._texts[path])
                os.utime(path, (stat.st_atime, stat.st_mtime))

    def run(self, tests: Sequence[str], *options: str) -> Run:
        """Raises TimeoutExpired."""
        began = time.monotonic()
        done = subprocess.run(
            [*PYTEST, *options, *tests],
            cwd=self.folder,
            env={**os.environ, "AS_FOUND": "1", "COLUMNS": "250", "PYTHONPATH": str(self.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS_MOST,
            check=False,
        )
        # As in "FAILED tests/store/test_claims.py::test_one[sqlite_db] - assert 1 == 2".
        lines = re.findall(r"^(?:FAILED|ERROR) (\S.*?)(?: - (.*))?$", done.stdout, re.MULTILINE)
        found, why = lines[0] if lines else ("", "")
        return Run(done.returncode, time.monotonic() - began, found, why, done.stdout)
