"""The stage for each scenario."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.bot_on_stage import World, staged
from tests.support.way_in import WAYS_IN, WayIn

Stage = Callable[..., World]

SLOW = "kill_and_restart"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every scenario over HTTP, and in Socket Mode too: `both_ways` in `make test`, the others in
    `make test-all`. Kill and restart once: they are about what comes after the way in."""
    if "way_in" in metafunc.fixturenames:
        http, socket = WAYS_IN
        marks = () if metafunc.definition.get_closest_marker("both_ways") else pytest.mark.long
        ways = [pytest.param(http, id=http.name)]
        if SLOW not in metafunc.module.__name__:
            ways.append(pytest.param(socket, id=socket.name, marks=marks))
        metafunc.parametrize("way_in", ways, indirect=True, scope="session")


@pytest.fixture(scope="session")
def way_in(request: pytest.FixtureRequest) -> WayIn:
    way: WayIn = request.param
    return way


@pytest.fixture
def stage(way_in: WayIn, tmp_path: Path) -> Iterator[Stage]:
    """`stage(APPROVALS_REQUIRED="2", appliance={…})`: a world with these settings."""
    folders = (tmp_path / f"bot-{number}" for number in itertools.count(1))
    with ExitStack() as stack:

        def build(*, appliance: dict[str, Any] | None = None, **settings: str) -> World:
            folder = next(folders)
            folder.mkdir()
            return stack.enter_context(staged(way_in, folder, settings, appliance or {}))

        yield build


@pytest.fixture
def world(stage: Stage) -> World:
    """A world of its own, with the ordinary settings."""
    return stage()


@pytest.fixture(scope="module")
def shared_world(way_in: WayIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world for a whole file, whose tests keep out of each other's way: channels and pairings
    of their own."""
    with staged(way_in, tmp_path_factory.mktemp("world"), {}, {}) as world:
        yield world


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Kill and restart come first: they wait for a lease, while another worker plays the rest."""
    slow_first = [item for item in items if SLOW in item.nodeid]
    items[:] = slow_first + [item for item in items if item not in slow_first]
