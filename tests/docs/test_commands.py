"""Every command block of the README and the docs is run by a test, or is for the operator's host.

A block that begins with `sh` holds commands; one with `sh host` holds those that need a host of the
operator's own (systemd, a container engine, a cluster): of these what can be checked is. A block
without a word is text.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from bot import __version__
from bot.cli import app
from bot.request.model import OPEN, State

ROOT = Path(__file__).parents[2]
WRITTEN = list((ROOT / "docs").rglob("*.md"))
COMMANDS = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
STATES = (ROOT / "docs" / "states.md").read_text(encoding="utf-8")
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *WRITTEN])
_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

WALK = "tests/whole/readme/test_readme_walk.py::test_configured_checked_and_run"
RUN_BY = {
    "make demo": "tests/whole/readme/test_readme_walk.py::test_make_demo_plays_the_story",
    "make install": WALK,
    ".venv/bin/vr-unpair manifest": WALK,
    "cp .env.example .env": WALK,
    "chmod 600 .env": WALK,
    ".venv/bin/vr-unpair check": WALK,
    ".venv/bin/vr-unpair run": WALK,
    ".venv/bin/vr-unpair backup backup.db": (
        "tests/operate/cli/test_backup.py::test_the_backup_is_whole"
    ),
}
"""Each line of an `sh` block to what runs it."""

OF_THE_HOST = frozenset(
    {
        "/opt/vr-unpair/0.1.0/bin/pip",
        "cd",
        "install",
        "journalctl",
        "kubectl",
        "ln",
        "make",
        "podman",
        "python3.11",
        "systemctl",
        "tar",
        "umask",
        "vr-unpair",
    }
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
        assert (ROOT / path).exists(), path
    assert set(re.findall(r"v?(\d+\.\d+\.\d+)", body)) <= {__version__}


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


def test_the_docs_have_each_command_and_no_other() -> None:
    made = typer.main.get_command(app)
    assert isinstance(made, typer.core.TyperGroup)
    there = set()
    for name, command in made.commands.items():
        inner = getattr(command, "commands", None)
        there |= {f"{name} {each}" for each in inner} if inner else {name}
    rows = re.findall(r"^\| `vr-unpair ([a-z]+(?: [a-z]+)?)", COMMANDS, re.MULTILINE)
    assert set(rows) == there


def test_the_docs_have_each_state_once_and_in_the_right_table() -> None:
    on_the_way, ended = (
        re.findall(r"(?m)^\| `(\w+)` \|", part) for part in STATES.split("## How it can end")
    )
    assert set(on_the_way) == OPEN
    assert set(ended) == set(State) - OPEN
    assert len(on_the_way) + len(ended) == len(State)
