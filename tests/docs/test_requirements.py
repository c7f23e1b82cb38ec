"""What the bot runs on: exact versions with hashes and no word about where to fetch them, the bill
of materials of a release, and what `make check` makes of pip-audit's answers."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from bot import __version__
from tools import known_weaknesses
from tools.sbom import bill

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
    pinned = r"[a-z0-9-]+(\[[a-z0-9,-]+\])?==[0-9][^ ]*( ; [^\\]+)? \\\n"
    for requirement in requirements:
        assert re.match(pinned, requirement), requirement
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
    assert set(asked) <= set(re.findall(r"(?m)^([a-z0-9-]+)(?:\[.+\])?==", locked))


INSTALLS = ("Makefile", "README.md", "deploy/Containerfile", "docs/deploy.md")


def test_what_others_wrote_is_installed_by_hash_and_from_wheels_alone() -> None:
    """A source would run its author's code while it is built."""
    text = "".join((FOLDER.parent / name).read_text("utf-8") for name in INSTALLS)
    lines = re.findall(r".*(?:pip|PIP\)) install\b.*", text.replace("\\\n", " "))
    of_others = [line for line in lines if "--no-deps" not in line]
    assert len(of_others) >= 4
    for line in of_others:
        assert "--require-hashes --only-binary :all: " in line, line


# ---- the bill of materials ----------------------------------------------------------------------

LOCKED = (FOLDER / "run.txt").read_text(encoding="utf-8")


def test_it_names_each_library_at_its_version_with_its_hashes() -> None:
    pinned = dict(re.findall(r"(?m)^([a-z0-9-]+)(?:\[.+\])?==([^ ]+)", LOCKED))
    found = {part["name"]: part for part in bill()["components"]}
    assert {name: part["version"] for name, part in found.items()} == pinned
    for name, part in found.items():
        assert part["purl"] == f"pkg:pypi/{name}@{pinned[name]}"
        hashes = [one["value"] for one in part["properties"] if one["name"].startswith("sha256")]
        assert hashes
        assert all(f"--hash=sha256:{one}" in LOCKED for one in hashes)


def test_what_needs_what_is_among_them() -> None:
    document = bill()
    refs = {part["bom-ref"] for part in document["components"]}
    own = document["metadata"]["component"]
    assert own["version"] == __version__
    needs = {each["ref"]: set(each["dependsOn"]) for each in document["dependencies"]}
    assert set(needs) == {own["bom-ref"], *refs}
    assert set().union(*needs.values()) <= refs
    (bolt,) = (ref for ref in refs if "slack-bolt" in ref)
    (sdk,) = (ref for ref in refs if "slack-sdk" in ref)
    assert bolt in needs[own["bom-ref"]]
    assert sdk in needs[bolt]


def test_the_licence_of_nearly_each_is_known() -> None:
    """Of what is not installed on this system, by its marker, nothing is known."""
    without = {part["name"] for part in bill()["components"] if "licenses" not in part}
    assert without <= {"colorama", "tzdata"}


# ---- known weaknesses ---------------------------------------------------------------------------

FINE = {"name": "requests", "version": "2.0", "vulns": []}
WEAK = {"name": "regex", "version": "1.0", "vulns": [{"id": "GHSA-1"}]}
UNTOLD = {"name": "typer", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("answer", "plain", "strict", "says"),
    [
        ([FINE], 0, 0, "no known weakness in 1"),
        ([FINE, WEAK], 1, 1, "regex 1.0 has known weaknesses: GHSA-1"),
        ([WEAK, UNTOLD], 1, 1, "GHSA-1"),
        ([FINE, UNTOLD], 0, 1, "1 of 2 dependencies could be looked up"),
        (None, 0, 1, "did not answer"),
    ],
)
def test_a_weakness_fails_and_silence_is_said(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    answer: list[dict[str, Any]] | None,
    plain: int,
    strict: int,
    says: str,
) -> None:
    said = "no network" if answer is None else json.dumps({"dependencies": answer})
    tool = tmp_path / "pip-audit"
    tool.write_text(f"#!/bin/sh\ncat <<'END'\n{said}\nEND\nexit 1\n")
    os.chmod(tool, 0o755)
    monkeypatch.setattr(known_weaknesses, "PIP_AUDIT", tool)
    assert known_weaknesses.main([]) == plain
    assert says in capsys.readouterr().out
    assert known_weaknesses.main(["--strict"]) == strict
