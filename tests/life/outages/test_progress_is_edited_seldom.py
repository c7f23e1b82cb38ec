"""Slack takes about one edit a second in a channel, and final words need room: a task that runs
edits its message no oftener than that, and never without news."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from bot.request.model import State
from bot.request.who_may import SiteTerms
from tests.life.outages.slack_world import SlackWorld

POLL_MS = 1_000
"""Oftener than a message is edited, and oftener than by default: there is always something new."""

APART_SECONDS = 2.5
SECONDS = 40


@pytest.fixture
def followed() -> Iterator[SlackWorld]:
    """A task runs, and the thread says so: the first edit waits for a while after its post."""
    terms = SiteTerms(
        appliance="vr.example.net", poll_ms=POLL_MS, timeout_ms=10_000, calls_per_minute=1_000
    )
    with closing(SlackWorld(sites={"default": terms})) as world:
        world.pending()
        world.approve()
        for _ in range(4):
            world.wait(POLL_MS)
        yield world


# Other beats of the clock, so that polls and edits meet differently.
@pytest.mark.parametrize("step_ms", [500, 700, 1_000])
def test_progress_that_moves_at_each_poll_is_edited_in_its_own_time(
    followed: SlackWorld, step_ms: int
) -> None:
    at = _calls(followed, step_ms, moving=True)
    assert len(at) > SECONDS / APART_SECONDS / 2, "it was hardly edited"
    assert all(later - at[n] >= APART_SECONDS for n, later in enumerate(at[1:]))


def test_progress_that_stands_still_is_not_edited(followed: SlackWorld) -> None:
    assert _calls(followed, POLL_MS, moving=False) == []


def _calls(world: SlackWorld, step_ms: int, *, moving: bool) -> list[float]:
    """When (seconds) Slack was called. `moving`: each poll finds another progress."""
    before, until, listed = len(world.slack.calls), world.ms + SECONDS * 1_000, 0
    while world.ms < until:
        if moving:
            listed += 1
            task = world.appliance.tasks[-1]
            world.appliance.tasks[-1] = task.model_copy(update={"progress": listed % 100})
        world.wait(step_ms)
    assert world.state() is State.FOLLOWING
    return [call.at for call in world.slack.calls[before:]]
