"""Run many histories; when one breaks a rule, make its story as short as it can be told."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from tests.life.simulation.happenings import History, history
from tests.life.simulation.rules import Violation
from tests.life.simulation.simulation import Simulation


def check(wanted: History) -> Violation | None:
    """None when every rule held."""
    try:
        Simulation(wanted).run()
    except Violation as violation:
        return violation
    return None


def first_violation(seeds: Iterable[int]) -> tuple[History, Violation] | None:
    for seed in seeds:
        wanted = history(seed)
        if violation := check(wanted):
            return wanted, violation
    return None


def shrink(failing: History) -> tuple[History, Violation]:
    """Leave out one happening after the other, as long as some rule is still broken."""
    violation = check(failing)
    assert violation is not None, "only a failing history can be shrunk"
    smaller = True
    while smaller:
        smaller = False
        for number in range(len(failing.happenings)):
            if number in failing.without:
                continue
            candidate = dataclasses.replace(failing, without=failing.without | {number})
            if found := check(candidate):
                failing, violation, smaller = candidate, found, True
    return failing, violation


def story(failing: History, violation: Violation) -> str:
    """What a person needs to understand it and to play it again."""
    kept = "\n".join(f"  {h}" for h in failing.kept())
    without = sorted(failing.without)
    return (
        f"{violation}\n\nWhat was to happen ({failing.replicas} copies):\n{kept}\n\n"
        f"Play it again: replace(history({failing.seed}), without=frozenset({without}))"
    )
