"""One story, one kill at one pass of one line, and what the two servers have seen in the end."""

from __future__ import annotations

from pathlib import Path

from bot.request.model import State
from tests.life.kills.faults import QUICK, Faults
from tests.life.kills.people import Story
from tests.life.kills.rules import Seen, check_story, check_words
from tests.life.kills.stage import staged

UNSENT = frozenset({"intent:after", "delete:before", "delete:leaving"})
"""The intent is stored, and nobody can know that nothing was sent: a person must look."""

UNTOLD = frozenset({"delete:written"})
"""The last byte has left: whether the appliance has read it is told by its own list."""

ELSEWHERE = ("inbox:", "outbox:", "post:", "edit:", "answer:", "sent:")
"""Lines of those who listen and post. The one who acts may be anywhere meanwhile, between intent
and DELETE too: then a person must look here as well."""

SETTINGS = {"VR_TIMEOUT_SECONDS": "1", "VR_POLL_SECONDS": "0.2"}


def killed_once(point: str, nth: int, folder: Path, figures: Faults = QUICK) -> Seen | None:
    """None when the story never came to that pass. Raises AssertionError for a broken rule."""
    try:
        return _killed_once(point, nth, folder, figures)
    except AssertionError as error:
        error.add_note(f"killed at {point} no. {nth}")
        raise


def _killed_once(point: str, nth: int, folder: Path, figures: Faults) -> Seen | None:
    with staged(folder, figures.deadly(point, nth), SETTINGS) as stage:
        story = Story(stage)

        def at_rest() -> bool:
            stage.revive(figures)
            story.acts()
            return story.asked and stage.at_rest()

        stage.wait_until(at_rest)
        deaths = [(death["point"], death["nth"]) for death in stage.deaths()]
        seen = check_story(story)
    check_words(stage)
    if not deaths:
        return None
    assert deaths == [(point, nth)]
    done, unsent = (State.SUCCEEDED, 1, 1), (State.ATTENTION, 0, 0)
    allowed = [unsent] if point in UNSENT else [done]
    if point in UNTOLD or point.startswith(ELSEWHERE):
        allowed = [done, unsent]
    assert (seen.state, seen.deletes, seen.accepted) in allowed
    return seen
