"""Every command block of the README and the docs is run by a test, or is for the operator's host.

A block that begins with `sh` holds commands; one with `sh host` holds those that need a host of the
operator's own (systemd, a container engine, a cluster): of these what can be checked is. A block
without a word is text.
"""

from __future__ import annotations

import re
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import __version__

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

BACKUP = (
    '.venv/bin/python -c "import sqlite3; '
    "sqlite3.connect('file:vr-unpair.db?mode=rw', uri=True)"
    ".execute('VACUUM INTO ?', ('backup.db',))\""
)

RUN_BY = {
    "make demo": "tests/readme/test_readme_walk.py::test_make_demo_plays_the_story",
    "make test": ".ci/run",
    BACKUP: "tests/docs/test_commands.py::test_the_backup_is_whole",
}
"""Each line of an `sh` block to what runs it."""

WRITES_AND_DIES = """
import os, sqlite3
connection = sqlite3.connect("vr-unpair.db")
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("CREATE TABLE t (n)")
connection.execute("INSERT INTO t VALUES (7)")
connection.commit()
os._exit(0)
"""

OF_THE_HOST = frozenset(
    {"cd", "cp", "git", "install", "journalctl", "kubectl", "make", "podman", "systemctl"}
)


def blocks(kind: str) -> Iterator[str]:
    for page in PAGES:
        for word, body in _BLOCK.findall(page.read_text(encoding="utf-8")):
            assert word in ("", "sh", "sh host"), f"{page.name}: a block of {word!r}"
            if word == kind:
                yield body


def test_every_line_is_run_by_something() -> None:
    lines = {line for body in blocks("sh") for line in body.splitlines()}
    assert lines == set(RUN_BY)
    for where in RUN_BY.values():
        file, _, test = where.partition("::")
        source = (ROOT / file).read_text(encoding="utf-8")
        assert not test or f"def {test}(" in source, where


@pytest.mark.parametrize("body", list(blocks("sh host")))
def test_a_block_for_the_host_is_sound(body: str) -> None:
    subprocess.run(["bash", "-n"], input=body, text=True, check=True)
    commands = [part.split()[0] for line in body.splitlines() for part in line.split("&&")]
    assert set(commands) <= OF_THE_HOST
    for path in re.findall(r"(?<!\S)(deploy/\S+|\.env\.example)", body):
        assert (ROOT / path).is_file(), path
    assert set(re.findall(r"v?(\d+\.\d+\.\d+)", body)) <= {__version__}


def test_the_backup_is_whole(tmp_path: Path) -> None:
    # In the folder of a bot: its python, and a database with something not yet in the main file.
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    writing = [".venv/bin/python", "-c", WRITES_AND_DIES]
    subprocess.run(writing, cwd=tmp_path, check=True)
    assert (tmp_path / "vr-unpair.db-wal").stat().st_size > 0
    subprocess.run(["bash", "-c", BACKUP], cwd=tmp_path, check=True)
    backup = sqlite3.connect(tmp_path / "backup.db")
    assert backup.execute("SELECT n FROM t").fetchall() == [(7,)]
    backup.close()


def test_no_backup_is_made_of_nothing(tmp_path: Path) -> None:
    """In another folder than the bot's: an empty copy would be found out when it is needed."""
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    done = subprocess.run(["bash", "-c", BACKUP], cwd=tmp_path, check=False, capture_output=True)
    assert done.returncode != 0
    assert [p.name for p in tmp_path.iterdir()] == [".venv"]


def test_every_path_that_is_named_is_there() -> None:
    missing = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for path in re.findall(r"`((?:bot|tests|docs|deploy|requirements)/[\w./-]+)`", text):
            if not (ROOT / path).exists():
                missing.append(f"{page.name}: {path}")
        for target in re.findall(r"\]\(([^)#\s]+?)(?:#[\w-]+)?\)", text):
            if "://" not in target and not (page.parent / target).exists():
                missing.append(f"{page.name}: {target}")
    assert missing == []
