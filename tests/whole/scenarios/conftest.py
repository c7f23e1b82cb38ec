"""The stage for each scenario, over HTTP unless it is `both_ways`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.forked.process import ForkedBot
from tests.support.stage import Stage, staged
from tests.support.way_in import WAYS_IN, WayIn

NewStage = Callable[..., Stage]


@pytest.fixture(scope="session")
def way_in(request: pytest.FixtureRequest) -> WayIn:
    way: WayIn = getattr(request, "param", WAYS_IN[0])
    return way


@pytest.fixture
def new_stage(way_in: WayIn, tmp_path: Path) -> Iterator[NewStage]:
    """`new_stage(APPROVALS_REQUIRED="2", appliance={…})`: a stage with these settings."""
    folders = (tmp_path / f"bot-{number}" for number in itertools.count(1))
    with ExitStack() as stack:

        def build(*, appliance: dict[str, Any] | None = None, **settings: str) -> Stage:
            folder = next(folders)
            folder.mkdir()
            return stack.enter_context(staged(way_in, folder, settings, appliance or {}))

        yield build


@pytest.fixture
def stage(new_stage: NewStage) -> Stage:
    """One of its own, with the ordinary settings."""
    return new_stage()


@pytest.fixture(scope="module")
def shared_stage(way_in: WayIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One for a whole file, whose tests keep out of each other's way: channels and pairings of
    their own."""
    with staged(way_in, tmp_path_factory.mktemp("stage"), {}, {}) as stage:
        yield stage


@pytest.fixture
def clocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a stage: its bot's database has a clock that `Stage.goes_by` turns."""
    monkeypatch.setattr(ForkedBot, "module", "tests.support.bot_with_clock")
