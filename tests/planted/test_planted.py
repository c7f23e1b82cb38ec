"""Each planted change still breaks the code as it is now. That its tests find it is seen by
`python -m tests.planted`, in `make test-all`."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from tests.planted.change import Change, DoesNotApply, change, planted, sources
from tests.planted.every import CHANGES
from tests.planted.tree import ROOT

AT_LEAST = 40
everything = cache(sources)


@cache
def text(test_file: str) -> str:
    return (ROOT / test_file).read_text()


@pytest.mark.parametrize("wanted", CHANGES, ids=lambda wanted: wanted.name)
def test_it_applies(wanted: Change) -> None:
    """Otherwise the code that it broke was rewritten: let it break the new code in the same way,
    and see by `python -m tests.planted 'NAME'` that this is still found."""
    assert planted(ROOT, everything(ROOT), wanted)
    for test in wanted.found_by:
        file, *names = test.partition("[")[0].split("::")
        assert (ROOT / file).exists(), test
        assert all(re.search(rf"(def|class) {name}\b", text(file)) for name in names), test


def test_each_has_a_name_of_its_own() -> None:
    assert len({wanted.name for wanted in CHANGES}) == len(CHANGES) >= AT_LEAST


FILE = Path("bot/a.py")
CODE = """
def first(one, two):
    if one == two:
        return one(
            two,
        )

class Second:
    def first(self):
        if one == two:
            return 1
"""


def made(old: str, new: str, within: str = "") -> str:
    return planted(Path(), {FILE: CODE}, change("x", "y", old, new, within=within))[FILE]


def test_where_it_stands_and_however_it_is_wrapped() -> None:
    assert "return one()" in made("return one(two,)", "return one()")
    for within in ("a.first", "Second.first", "Second"):
        changed = made("if one == two:", "if True:", within)
        assert changed.count("if True:") == changed.count("if one == two:") == 1
        assert (changed.index("if True:") < changed.index("class")) == (within == "a.first")


@pytest.mark.parametrize(
    ("old", "new"), [("if one == two:", "if True:"), ("if one != two:", ""), ("class", "def")]
)
def test_at_several_places_or_none_or_no_python(old: str, new: str) -> None:
    with pytest.raises(DoesNotApply):
        made(old, new)
