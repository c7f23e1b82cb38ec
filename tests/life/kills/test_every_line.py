"""`kill -9` at every named line of the life; the next one goes on; the servers saw it once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.request.model import State
from tests.life.kills.faults import POINTS, QUICK
from tests.life.kills.people import Story
from tests.life.kills.rules import Seen, check_story, check_words
from tests.life.kills.stage import staged

SETTINGS = {"VR_TIMEOUT_SECONDS": "1", "VR_POLL_SECONDS": "0.2"}

UNSENT = frozenset({"intent:after", "delete:before", "delete:leaving"})
"""The intent is stored, and nobody can know that nothing was sent: a person must look."""

UNTOLD = frozenset({"delete:written"})
"""The last byte has left: whether the appliance has read it is told by its own list."""

ELSEWHERE = ("inbox:", "outbox:", "post:", "edit:", "answer:", "sent:")
"""Lines of those who listen and post. The one who acts may be anywhere meanwhile, between intent
and DELETE too: then a person must look here as well."""

OFTEN: dict[str, tuple[int, ...]] = {
    "save:before": (1, 3, 5),
    "save:after": (2, 4, 6),
    "intent:before": (1,),
    "intent:after": (1,),
    "delete:before": (1,),
    "delete:leaving": (1,),
    "delete:written": (1,),
    "delete:received": (1,),
    "delete:after": (1,),
    "post:before": (1, 3),
    "post:after": (1, 2, 3),
}
"""Where a kill is most dangerous, and at which passes: `make test-all` tries each pass of each
line."""


def killed_once(folder: Path, point: str, nth: int) -> Seen | None:
    """None when the story never came to that pass. Raises AssertionError for a broken rule."""
    folder = folder / f"{point.replace(':', '-')}-{nth}"
    with staged(folder, QUICK.deadly(point, nth), SETTINGS) as stage:
        story = Story(stage)

        def at_rest() -> bool:
            stage.revive(QUICK)
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
    assert (seen.state, seen.deletes, seen.accepted) in allowed, f"killed at {point} no. {nth}"
    return seen


@pytest.mark.parametrize("line", dict.fromkeys(point.partition(":")[0] for point in OFTEN))
def test_killed_at(line: str, tmp_path: Path) -> None:
    passes = [(p, nth) for p, often in OFTEN.items() if p.startswith(f"{line}:") for nth in often]
    with ThreadPoolExecutor(len(passes)) as pool:
        for point, seen in zip(
            passes, pool.map(lambda each: killed_once(tmp_path, *each), passes), strict=True
        ):
            assert seen is not None, f"a story never passes {point}"


@pytest.mark.long
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_each_pass_of(point: str, tmp_path: Path) -> None:
    """From the first one on, until a story ends without coming to it."""
    seen: list[Seen] = []
    while (one := killed_once(tmp_path, point, len(seen) + 1)) is not None:
        seen.append(one)
    states = dict(Counter(one.state.value for one in seen))
    print(f"{len(seen)} passes, {states}, {sum(one.doubled for one in seen)} posts stand twice")
    assert seen, "a story never comes here"
