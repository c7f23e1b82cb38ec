"""A copy of the checkout in which a change is planted and its tests are run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest

from tests.planted.change import Change, planted, sources

ROOT = Path(__file__).parents[2]
SECONDS_MOST = 600

PASSED, FAILED, BROKEN = 0, 1, 70
"""What pytest ends with. Anything else means that it could not run the tests."""

OPTIONS = ("-q", "-rfE", "-p", "no:cacheprovider", "-m", "")

LIBRARIES = ("alembic", "psycopg", "pydantic", "requests", "slack_bolt", "slack_sdk")
LIBRARIES += ("sqlalchemy.dialects.sqlite", "structlog", "typer", "waitress", "websockets")
"""Imported once, before everything forks: they are most of what a run of pytest begins with."""


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
    """Made once for each worker. Everything that is run in it imports `bot` and `tests` from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "checkout"
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
        self._compiled = folder / "compiled"
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
        """With pytest, in a fork of this process, which must have one thread only."""
        began = time.monotonic()
        with tempfile.TemporaryFile("w+") as words:
            child = os.fork()
            if child == 0:
                status = BROKEN
                try:
                    self._enter(words.fileno())
                    status = pytest.main([*OPTIONS, *options, *tests])
                    sys.stdout.flush()
                except BaseException:
                    os.write(2, traceback.format_exc().encode())
                finally:
                    os._exit(status)
            status = _ended(child)
            words.seek(0)
            output = words.read()
        # As in "FAILED tests/store/test_claims.py::test_one[sqlite_db] - assert 1 == 2".
        lines = re.findall(r"^(?:FAILED|ERROR) (\S.*?)(?: - (.*))?$", output, re.MULTILINE)
        found, why = lines[0] if lines else ("", "")
        return Run(status, time.monotonic() - began, found, why, output)

    def _enter(self, words: int) -> None:
        for own in (1, 2):
            os.dup2(words, own)
        os.chdir(self.folder)
        os.environ |= {
            "AS_FOUND": "1",
            "COLUMNS": "250",
            "PYTHONPATH": str(self.folder),
            "PYTHONPYCACHEPREFIX": str(self._compiled),
        }
        sys.pycache_prefix = str(self._compiled)
        sys.path.insert(0, str(self.folder))
        for name in list(sys.modules):
            if name.partition(".")[0] in ("bot", "tests"):
                del sys.modules[name]


def prepare() -> None:
    for name in LIBRARIES:
        import_module(name)


def _ended(child: int) -> int:
    until = time.monotonic() + SECONDS_MOST
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return -9
