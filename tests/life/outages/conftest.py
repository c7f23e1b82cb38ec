"""A world for each test; the server in it starts within milliseconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.life.outages.slack_world import SlackWorld


@pytest.fixture
def world() -> Iterator[SlackWorld]:
    world = SlackWorld()
    yield world
    world.close()
