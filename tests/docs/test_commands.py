"""Every command block of the README and the docs is run by a test, or is for the operator's host.

A block that begins with `sh` holds commands; one with `sh host` holds those that need a host of the
operator's own (systemd, a container engine, a cluster): these are run with stand-ins. A block
without a word is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from bot import __version__
from bot.cli import app
from bot.request.model import OPEN, State
from tests.whole.readme.test_deploy_walk import BLOCKS as OF_THE_HOST
from tests.whole.readme.test_readme_walk import STEPS

ROOT = Path(__file__).parents[2]
WRITTEN = list((ROOT / "docs").rglob("*.md"))
COMMANDS = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
STATES = (ROOT / "docs" / "states.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(WRITTEN)]
_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

RECIPE = (
    (ROOT / "docs/audit.md").read_text(encoding="utf-8").split("```sh\n")[1].split("```")[0].strip()
)
WALK = "tests/whole/readme/test_readme_walk.py::test_configured_checked_and_run"
RUN_BY = {
    "make demo": "tests/whole/readme/test_readme_walk.py::test_make_demo_plays_the_story",
    "make test": ".ci/run",
    ".venv/bin/vr-unpair backup backup.db": (
        "tests/operate/cli/test_backup.py::test_the_backup_is_whole"
    ),
    RECIPE: (
        "tests/operate/cli/test_audit_keys.py::test_the_recipe_of_the_page_needs_no_code_of_ours"
    ),
    **dict.fromkeys(STEPS, WALK),
}
"""Each `sh` block to what runs it."""


def blocks(kind: str) -> Iterator[str]:
    for page in PAGES:
        for word, body in _BLOCK.findall(page.read_text(encoding="utf-8")):
            assert word in ("", "sh", "sh host"), f"{page.name}: a block of {word!r}"
            if word == kind:
                yield body


def test_every_block_is_run_by_something() -> None:
    assert {body.strip() for body in blocks("sh")} == {step.strip() for step in RUN_BY}
    for where in RUN_BY.values():
        file, _, test = where.partition("::")
        source = (ROOT / file).read_text(encoding="utf-8")
        assert not test or f"def {test}(" in source, where


def test_every_block_for_the_host_is_of_the_page_that_is_walked() -> None:
    """`tests/whole/readme/test_deploy_walk.py` unpacks them by their number."""
    assert [body.strip() for body in blocks("sh host")] == OF_THE_HOST


@pytest.mark.parametrize("body", OF_THE_HOST)
def test_a_block_for_the_host_is_of_this_release(body: str) -> None:
    for path in re.findall(r"(?<!\S)(deploy/\S+\.\S+|\.env\.example)", body):
        assert (ROOT / path.rstrip(")")).exists(), path
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
    rows = re.findall(r"^\| `vr-unpair ([a-z]+(?: [a-z][a-z-]*)?)", COMMANDS, re.MULTILINE)
    assert set(rows) == there


def test_the_docs_have_each_state_once_and_in_the_right_table() -> None:
    on_the_way, ended = (
        re.findall(r"(?m)^\| `(\w+)` \|", part) for part in STATES.split("## How it can end")
    )
    assert set(on_the_way) == OPEN
    assert set(ended) == set(State) - OPEN
    assert len(on_the_way) + len(ended) == len(State)
