"""Copies are started again with other settings while requests are under way, one after the other:
what is sent is what the card said and what the settings of whoever sends ask for."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tests.life.simulation.happenings import (
    APPROVERS,
    GLASS,
    MINUTE_MS,
    POOLS,
    Happening,
    History,
    history,
)
from tests.life.simulation.rules import Violation
from tests.life.simulation.runner import check, shrink, story
from tests.life.simulation.simulation import Simulation

HISTORIES, WITNESSED = 1_200, 600
CHUNK = 300

SETTINGS: tuple[tuple[str, object], ...] = (
    *(("approvals_required", number) for number in (1, 2, 3)),
    *(("force_approvals_required", number) for number in (1, 2)),
    ("pools", POOLS),
    *(("dry_run", on) for on in (True, False)),
    *(("approvers", frozenset(who)) for who in (APPROVERS, ("U0A", "U0C"), ("U0B",))),
    *(("break_glass", frozenset(who)) for who in (GLASS, ("U0A",), ())),
)


def with_other_settings(seed: int) -> History:
    """The history of this seed, with the settings changed between what happens there."""
    rng = random.Random(seed)
    plain = history(seed)
    changes = [
        Happening(rng.randrange(4 * MINUTE_MS), "settings", (copy, *setting))
        for setting in rng.choices(SETTINGS, k=rng.randrange(1, 5))
        for copy in range(plain.replicas)
        if rng.random() < 0.6
    ]
    happenings = sorted((*plain.happenings, *changes), key=lambda h: h.at)
    return replace(plain, happenings=tuple(happenings))


@pytest.mark.parametrize("first", range(0, HISTORIES, CHUNK))
def test_every_rule_holds(first: int) -> None:
    for seed in range(first, first + CHUNK):
        wanted = with_other_settings(seed)
        if check(wanted):
            pytest.fail(story(*shrink(wanted)))


@pytest.mark.parametrize("first", range(0, WITNESSED, CHUNK))
def test_no_delete_leaves_without_its_witness(first: int) -> None:
    """A collector that is often away, or slower than the second."""
    sent = 0
    for seed in range(first, first + CHUNK):
        wanted = replace(history(seed), collector_fails=0.6)
        sim = Simulation(wanted)
        try:
            sim.run()
        except Violation:
            pytest.fail(story(*shrink(wanted)))
        sent += len(sim.estate.wires)
    assert sent > CHUNK / 4
