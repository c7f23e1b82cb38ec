"""Three thousand histories, and every rule after every step; ten thousand in `make test-all`, and
fresh ones each day. A history that fails there becomes a test of its own
(`test_found_by_a_soak.py`)."""

from __future__ import annotations

import os
from datetime import date

import pytest

from bot.request.model import Request, State
from tests.life.simulation.rules import Rules
from tests.life.simulation.runner import first_violation, shrink, story

CHUNK = 500
ALWAYS = range(0, 3_000, CHUNK)
LONG = range(3_000, 10_000, CHUNK)
TODAY = int(f"{date.today():%y%m%d}0000")
"""The first seed of the day's own thousand."""
FRESH = range(TODAY, TODAY + 1_000, CHUNK)


@pytest.mark.parametrize(
    "first", [*ALWAYS, *(pytest.param(seed, marks=pytest.mark.long) for seed in (*LONG, *FRESH))]
)
def test_every_rule_holds(first: int) -> None:
    found = first_violation(range(first, first + CHUNK))
    if found:
        as_found = os.environ.get("AS_FOUND")  # by `tests.planted`, which is in a hurry
        pytest.fail(story(*(found if as_found else shrink(found[0]))))


def test_a_failing_history_shrinks(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a rule that is broken by whatever is approved."""

    def nobody_approves(rules: Rules, before: Request | None, after: Request) -> None:
        if after.state is State.APPROVED:
            rules.broken("somebody approved")

    monkeypatch.setattr(Rules, "saved", nobody_approves)
    found = first_violation(range(100))
    assert found is not None
    smaller, violation = shrink(found[0])
    assert len(smaller.kept()) < len(found[0].kept())
    assert {h.what for h in smaller.kept()} == {"ask", "click"}
    assert "somebody approved" in str(violation)
