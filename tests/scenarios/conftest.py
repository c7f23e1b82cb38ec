"""The stage for each scenario. Kill and restart first: they wait for a lease, and others can be
played by another worker meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.way_in import WAYS_IN, WayIn
from tests.scenarios.world import World, staged

Stage = Callable[..., World]


@pytest.fixture(scope="session", params=WAYS_IN, ids=lambda way: way.name)
def way_in(request: pytest.FixtureRequest) -> WayIn:
    way: WayIn = request.param
    return way


@pytest.fixture
def stage(way_in: WayIn, tmp_path: Path) -> Iterator[Stage]:
    """`stage(APPROVALS_REQUIRED="2", appliance={…})`: a world with these settings."""
    with ExitStack() as stack:

        def build(*, appliance: dict[str, Any] | None = None, **settings: str) -> World:
            return stack.enter_context(staged(way_in, tmp_path, settings, appliance or {}))

        yield build


@pytest.fixture
def world(stage: Stage) -> World:
    """A world of its own, with the ordinary settings."""
    return stage()


@pytest.fixture(scope="module")
def shared_world(
    way_in: WayIn, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[World]:
    """One world for a whole file, whose tests keep out of each other's way: channels and pairings
    of their own, and together fewer calls than the bot's budget for a minute."""
    settings: dict[str, str] = getattr(request.module, "SETTINGS", {})
    with staged(way_in, tmp_path_factory.mktemp("world"), settings, {}) as world:
        yield world


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    slow_first = [item for item in items if "kill_and_restart" in item.nodeid]
    items[:] = slow_first + [item for item in items if item not in slow_first]
