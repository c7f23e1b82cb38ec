"""Slack takes about one edit a second in a channel, and final words need room: a task that runs
edits its message no oftener than that, and never without news."""

from __future__ import annotations

from contextlib import closing

import pytest

from bot.request.model import State
from bot.request.who_may import SiteTerms
from tests.life.outages.slack_world import SlackWorld

APART_SECONDS, SECONDS = 2.5, 40
TERMS = SiteTerms(
    appliance="vr.example.net", poll_ms=1_000, timeout_ms=10_000, calls_per_minute=1_000
)
"""Polls oftener than a message is edited: there is always something new."""


# Other beats of the clock, so that polls and edits meet differently.
@pytest.mark.parametrize(
    ("step_ms", "moving"), [(500, True), (700, True), (1_000, True), (1_000, False)]
)
def test_progress_is_edited_in_its_own_time_and_with_news_alone(step_ms: int, moving: bool) -> None:
    with closing(SlackWorld(sites={"default": TERMS})) as world:
        world.followed()
        for _ in range(4):  # the first edit waits for a while after its post
            world.wait(1_000)
        before, until = len(world.slack.calls), world.ms + SECONDS * 1_000
        for poll in range(SECONDS * 1_000 // step_ms + 1):
            if moving:
                task = world.appliance.tasks[-1]
                world.appliance.tasks[-1] = task.model_copy(update={"progress": poll % 100})
            world.wait(step_ms)
        assert world.ms >= until
        assert world.state() is State.FOLLOWING
        at = [call.at for call in world.slack.calls[before:]]
    assert (len(at) > SECONDS / APART_SECONDS / 2) is moving
    assert all(later - at[n] >= APART_SECONDS for n, later in enumerate(at[1:]))
    assert moving or at == []
