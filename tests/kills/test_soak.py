"""A small soak: a few requests at once, and a bot that dies every other second."""

from __future__ import annotations

from pathlib import Path

from tests.kills.soak import soak

REQUESTS = 15
SEED = 3


def test_nothing_twice_and_nothing_lost(tmp_path: Path) -> None:
    soaked = soak(REQUESTS, SEED, tmp_path)
    print(soaked)
    assert soaked.deaths.total() >= 5, "it was hardly killed"
    assert soaked.states["succeeded"] >= REQUESTS // 2, soaked
