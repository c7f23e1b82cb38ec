"""The small world, one for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worker.world import PATIENCE_SECONDS, World


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


@pytest.fixture
def world_on_file(tmp_path: Path) -> Iterator[World]:
    """For tests in which its worker's own threads run."""
    world = World(f"sqlite:///{tmp_path}/world.db")
    yield world
    world.worker.stop(PATIENCE_SECONDS)
    world.close()
