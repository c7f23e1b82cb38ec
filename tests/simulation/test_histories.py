"""Ten thousand histories, and every rule after every step."""

from __future__ import annotations

import os

import pytest

from bot.request.model import Request, State
from tests.simulation.rules import Rules
from tests.simulation.runner import first_violation, shrink, story

HISTORIES = 10_000
CHUNK = 500


@pytest.mark.parametrize("first", range(0, HISTORIES, CHUNK))
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
