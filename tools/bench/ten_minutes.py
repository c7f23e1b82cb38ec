"""A task of ten minutes at a local Slack, played at once: the clock is ours.

The real worker, store and poster on that clock (`tests/outages/slack_world.py`), without the
appliance: it is its answers that change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from structlog.testing import capture_logs

from bot.request.model import State
from bot.request.who_may import SiteTerms
from tests.outages.slack_world import SlackWorld

SECONDS = 600
POLL_SECONDS = 1.0
"""Oftener than a message is edited, and oftener than by default: there is always something new."""


def edits(step_ms: int, *, moving: bool) -> list[float]:
    """When (seconds) Slack was called for this task in ten minutes of it, from its first look on.
    `step_ms`: how far the clock goes at a time. `moving`: each listing shows another progress."""
    with _followed() as world:
        before, until = len(world.slack.calls), world.ms + SECONDS * 1000
        while world.ms < until:
            if moving:
                _move(world)
            world.wait(step_ms)
        if world.state() is not State.FOLLOWING:
            raise RuntimeError(f"it is {world.state()}: not followed for ten minutes")
        if world.appliance.listings < SECONDS / max(POLL_SECONDS, step_ms / 1000) / 2:
            raise RuntimeError(f"only {world.appliance.listings} listings: nothing could be edited")
        return [call.at for call in world.slack.calls[before:]]


def most_within(seconds: float, times: Sequence[float]) -> int:
    """The most of them that lie within so many seconds, wherever these begin."""
    return max((sum(begin <= at < begin + seconds for at in times) for begin in times), default=0)


@contextmanager
def _followed() -> Iterator[SlackWorld]:
    """A task runs, and the thread says so."""
    terms = SiteTerms(
        appliance="vr.example.net", poll_ms=int(POLL_SECONDS * 1000), timeout_ms=10_000
    )
    # What the world logs it would print among the lines.
    with capture_logs(), closing(SlackWorld(sites={"default": terms})) as world:
        world.pending()
        world.approve()
        # Until the thread says so: the edit of a message waits for 2.5 s after its post.
        for _ in range(4):
            world.wait(int(POLL_SECONDS * 1000))
        yield world


def _move(world: SlackWorld) -> None:
    task = world.appliance.tasks[-1]
    percent = world.appliance.listings % 100
    world.appliance.tasks[-1] = task.model_copy(update={"progress": percent})
