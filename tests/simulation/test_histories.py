"""Ten thousand histories, and every rule after every step."""

from __future__ import annotations

import pytest

from tests.simulation.runner import first_violation, shrink, story

HISTORIES = 10_000
CHUNK = 500


@pytest.mark.parametrize("first", range(0, HISTORIES, CHUNK))
def test_every_rule_holds(first: int) -> None:
    found = first_violation(range(first, first + CHUNK))
    if found:
        pytest.fail(story(*shrink(found[0])))
