"""Every attack of the security page is tried: each row names tests, and they exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
TEST = re.compile(r"`(tests/[\w/]+\.py)((?:::\w+)+)`")

ATTACKS = {
    "one's own request",
    "Press twice",
    "in no list",
    "as a guest",
    "another workspace",
    "removed since",
    "the value of a button",
    "a copy of the card",
    "Replay",
    "forged signature",
    "old timestamp",
    "mentions or links",
    "the same click twice",
    "another certificate",
    "a redirect",
    "between card and DELETE",
    "the words of its refusal",
    "the same envelope",
    "what was read before looks fresh",
    "an approval comes in time after all",
    "Change a record, in any column",
    "make its hash anew",
    "Remove a record",
    "Insert a record",
    "change places",
    "Cut off the tail",
    "the whole chain anew",
    "without being of `BREAK_GLASS`",
    "the form of Break glass without the right",
    "`private_metadata`",
    "the glass from another workspace",
}
"""What the page must have a row for, whatever else it has."""


def attacks() -> list[tuple[str, list[tuple[str, str]]]]:
    """Each row of the tables of attacks: what is tried, and the tests that it names."""
    rows = []
    for table in re.findall(r"(?m)(?:^\|.*\n?)+", PAGE):
        lines = table.splitlines()
        if "attack" in lines[0]:
            rows += [(line.split("|")[1].strip(), TEST.findall(line)) for line in lines[2:]]
    return rows


@cache
def named_in(path: str) -> set[str]:
    """`::test_a` and `::TestB::test_c` of one file, by its source."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    found = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            found.add(f"::{node.name}")
        elif isinstance(node, ast.ClassDef):
            inside = [n for n in node.body if isinstance(n, ast.FunctionDef)]
            found |= {f"::{node.name}::{n.name}" for n in inside}
    return {name for name in found if name.rpartition("::")[2].startswith("test_")}


def test_there_is_a_row_for_each_attack() -> None:
    tried = [what for what, _ in attacks()]
    assert {a for a in ATTACKS if not any(a in what for what in tried)} == set()
    assert len(tried) == len(set(tried))


@pytest.mark.parametrize("row", attacks(), ids=lambda row: row[0][:40])
def test_each_row_names_tests_that_exist(row: tuple[str, list[tuple[str, str]]]) -> None:
    what, tests = row
    assert tests, what
    missing = [f"{path}{name}" for path, name in tests if name not in named_in(path)]
    assert missing == []


def test_no_test_is_named_in_a_form_that_is_not_looked_up() -> None:
    assert PAGE.count("::test_") == len([1 for _, tests in attacks() for _ in tests])
