"""Events that belong to no request: the audit trail has them, and nothing else comes of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.request.events import AskRefused
from bot.store import audit_trail as trail
from tests.support.world import CHANNEL, FIRST, TEAM, World


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


def test_what_the_listener_refused_is_in_the_trail_and_nowhere_else(world: World) -> None:
    refused = AskRefused(
        by=FIRST, team=TEAM, channel=CHANNEL, pairing="prague", force=True, why="channel"
    )
    world.put(refused, "")
    world.settle()
    (record,) = trail.export(world.db)
    assert (record.action, record.actor, record.request_id) == ("ask_refused", FIRST, None)
    assert (record.before, record.after) == (None, None)
    assert record.detail == {
        "team": TEAM,
        "channel": CHANNEL,
        "pairing": "prague",
        "force": True,
        "why": "channel",
    }
    assert world.overview.newest() == []
    assert (world.posted, world.answers) == ([], [])
    assert world.appliance.listings == 0
    assert world.people.asked == []
