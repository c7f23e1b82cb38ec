"""Every attack that is listed is tried: each row names tests, they exist, and no row goes
unnoticed."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "dev" / "attacks.md").read_text(encoding="utf-8")
TEST = re.compile(r"`(tests/[\w/]+\.py)((?:::\w+)+)`")


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
    found = set()
    for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        of = f"::{node.name}" if isinstance(node, ast.ClassDef) else ""
        found |= {f"{of}::{n.name}" for n in inside if isinstance(n, ast.FunctionDef)}
    return {name for name in found if "::test_" in name}


@pytest.mark.parametrize("row", attacks(), ids=lambda row: row[0][:40])
def test_each_row_names_tests_that_exist(row: tuple[str, list[tuple[str, str]]]) -> None:
    what, tests = row
    assert tests, what
    assert [one for one, _ in attacks()].count(what) == 1
    missing = [f"{path}{name}" for path, name in tests if name not in named_in(path)]
    assert missing == []


def test_the_page_says_how_many_there_are() -> None:
    """Who takes a row away has to say so there."""
    said = re.search(r"(\d+) attacks are listed here", PAGE)
    assert said is not None
    assert len(attacks()) == int(said[1])


def test_no_test_is_named_in_a_form_that_is_not_looked_up() -> None:
    assert PAGE.count("::test_") == len([1 for _, tests in attacks() for _ in tests])
