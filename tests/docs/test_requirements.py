"""The requirement files: exact versions with hashes, and no word about where to fetch them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "requirements"
NAMES = ["audit", "build", "demo", "dev", "lock", "run"]


def test_there_is_an_input_for_each_lock_and_no_other_file() -> None:
    expected = {f"{name}.{end}" for name in NAMES for end in ("in", "txt")}
    assert {path.name for path in FOLDER.iterdir()} == expected


@pytest.mark.parametrize("name", NAMES)
def test_everything_is_pinned_with_hashes(name: str) -> None:
    text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    requirements = re.split(r"\n(?=\S)", "\n".join(lines))
    for requirement in requirements:
        assert re.match(r"[a-z0-9-]+==[0-9][^ ]*( ; [^\\]+)? \\\n", requirement), requirement
        assert "--hash=sha256:" in requirement


@pytest.mark.parametrize("name", NAMES)
def test_no_address_and_no_path_of_a_machine(name: str) -> None:
    for end in ("in", "txt"):
        text = (FOLDER / f"{name}.{end}").read_text(encoding="utf-8")
        assert not re.search(r"://|--(extra-)?index|--find-links|(?<![\w.])/\w", text)


def test_hosts_that_read_a_procfile_get_what_the_bot_runs_on() -> None:
    """They look for this name (Heroku)."""
    lines = (FOLDER.parent / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["-r requirements/run.txt"]


@pytest.mark.parametrize("name", NAMES)
def test_every_direct_requirement_is_in_the_lock(name: str) -> None:
    wanted = (FOLDER / f"{name}.in").read_text(encoding="utf-8")
    asked = re.findall(r"(?m)^([a-z][a-z0-9-]*)", wanted)
    locked = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    assert asked
    assert [one for one in asked if f"\n{one}==" not in locked] == []
