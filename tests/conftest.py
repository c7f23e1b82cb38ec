"""What tests of several folders begin with: the small world, one for each test, and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.postgres import PostgresServer
from tests.support.world import PATIENCE_SECONDS, World


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """With the policy that a mark `policy` of the test says."""
    world = World(**policy_of(request))
    yield world
    world.close()


def policy_of(request: pytest.FixtureRequest) -> dict[str, Any]:
    marked = request.node.get_closest_marker("policy")
    return marked.kwargs if marked else {}


@pytest.fixture
def world_on_file(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """For tests in which its worker's own threads run."""
    world = World(f"sqlite:///{tmp_path}/world.db", **policy_of(request))
    yield world
    world.worker.stop(PATIENCE_SECONDS)
    world.close()


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """For a test that takes it away: nobody else's database goes with it."""
    server = PostgresServer().start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    server = PostgresServer().start()
    yield server
    server.stop()
