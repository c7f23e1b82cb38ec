"""The simulation finds each planted bug: its checks can fail."""

from __future__ import annotations

import pytest

from tests.simulation.bugs import Bugs
from tests.simulation.planted import BUGS
from tests.simulation.runner import first_violation, shrink

BUDGET = 1_500
"""Histories within which each must be found; most need far fewer."""


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_found(bug: Bugs, record_property: pytest.RecordProperty) -> None:
    found = first_violation(range(BUDGET), bug)
    assert found is not None, f"{bug.name} was not found in {BUDGET} histories"
    record_property("histories", found[0].seed + 1)
    record_property("rule", str(found[1]).splitlines()[0])


def test_a_failing_history_shrinks() -> None:
    bug = next(b for b in BUGS if b.name == "own approval counted")
    found = first_violation(range(BUDGET), bug)
    assert found is not None
    smaller, violation = shrink(found[0], bug)
    assert len(smaller.kept()) <= len(found[0].happenings)
    assert len(smaller.kept()) <= 3
    assert "requester" in str(violation)
