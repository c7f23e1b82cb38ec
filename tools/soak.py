"""`python -m tools.soak [REQUESTS [SEED]]`: many requests at once, and random kills.

The seed decides who does what, where each life of the bot ends, and which answers are lost; how
threads take their turns is not for a seed to decide. Every rule is checked for every request.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sandbox.appliance import Answer
from tests.life.kills.faults import QUICK, Faults
from tests.life.kills.people import Story
from tests.life.kills.rules import Seen, check_story, check_words
from tests.life.kills.stage import PATIENCE_SECONDS as STORY_SECONDS
from tests.life.kills.stage import Stage, staged
from tests.support.stage import ALAN, ANNA

AT_ONCE = 8
"""Requests that are under way at the same time."""

PRESSES = ((ALAN,), (ALAN, ANNA), (ALAN, ALAN), (ALAN, ALAN, ANNA, ANNA))

PASSES = 200
"""A life ends at one of so many passes of any line: a request makes about a hundred. Much less, and
hardly anything would be done between two deaths, since what a dead one held waits for its lease."""

LIFE_SECONDS = (0.3, 2.0)
"""Some end anywhere between two lines instead, after that long."""

LOST = Answer(wire="cut_after_accept")
REFUSALS = (
    Answer(503, headers={"Retry-After": "1"}),
    Answer(429, headers={"Retry-After": "1"}),
    Answer(401),
)
SETTINGS = {"VR_TIMEOUT_SECONDS": "1", "VR_POLL_SECONDS": "0.2"}
SAY_EACH = 10
"""Lives."""

PATIENCE_SECONDS = 5.0
"""For each request, on average, on top of that for one story."""


@dataclass(frozen=True)
class Soaked:
    """What came out."""

    requests: int
    deaths: Counter[str]
    states: Counter[str]
    seen: list[Seen]
    lost_answers: int
    seconds: float

    def __str__(self) -> str:
        at_points = ", ".join(f"{point} {times}" for point, times in sorted(self.deaths.items()))
        return (
            f"{self.requests} requests, {self.deaths.total()} kills, every rule held;"
            f" {dict(self.states)}; DELETEs {sum(one.deletes for one in self.seen)},"
            f" accepted {sum(one.accepted for one in self.seen)},"
            f" answers lost on the wire {self.lost_answers},"
            f" posts that stand twice {sum(one.doubled for one in self.seen)};"
            f" {self.seconds:.0f} s\nkilled at: {at_points}"
        )


def soak(
    requests: int, seed: int, folder: Path, say: Callable[[str], None] = lambda _: None
) -> Soaked:
    """Raises AssertionError for a broken rule, or when something is stuck."""
    rng = random.Random(seed)
    began = time.monotonic()
    with staged(folder, an_end(rng), SETTINGS) as stage:
        answers = [an_answer(rng) for _ in range(requests)]
        stage.appliance.on_delete(*answers)
        stories: list[Story] = []

        def all_done() -> bool:
            under_way = unfinished(stories)
            if stage.revive(an_end(rng)) and len(stage.lives) % SAY_EACH == 0:
                say(f"life {len(stage.lives)}: {len(stories) - len(under_way)} requests ended")
            while len(stories) < requests and len(under_way) < AT_ONCE:
                under_way.append(a_story(rng, stage))
                stories.append(under_way[-1])
            for story in under_way:
                story.acts()
            return not under_way

        stage.wait_until(all_done, STORY_SECONDS + requests * PATIENCE_SECONDS)
        # What is left to say is said in peace: a process that dies for ever never comes to rest.
        stage.bury()
        stage.live(QUICK)
        stage.wait_until(stage.at_rest)
        records = stage.records()
        seen = [check_story(story, records) for story in stories]
        deaths = Counter(death["point"] for death in stage.deaths())
    check_words(stage)
    return Soaked(
        requests=requests,
        deaths=deaths,
        states=Counter(one.state.value for one in seen),
        seen=seen,
        lost_answers=sum(
            call.status is None and call.task_id is not None for call in stage.appliance.deletes
        ),
        seconds=time.monotonic() - began,
    )


def an_end(rng: random.Random) -> Faults:
    """Where this life ends: at a line, or before it anywhere. Always at a line at the latest, so
    that a quick machine does not do everything in one life."""
    at_a_line, anywhere = rng.randrange(1, PASSES), rng.uniform(*LIFE_SECONDS)
    return QUICK.deadly(nth=at_a_line, after_seconds=anywhere if rng.random() < 0.3 else None)


def an_answer(rng: random.Random) -> Answer:
    return rng.choices((Answer(), LOST, rng.choice(REFUSALS)), (70, 15, 15))[0]


def a_story(rng: random.Random, stage: Stage) -> Story:
    return Story(stage, presses=rng.choice(PRESSES), takes_back=rng.random() < 0.1)


def unfinished(stories: list[Story]) -> list[Story]:
    """Those that have no final reply yet."""
    return [story for story in stories if not story.asked or not story.finals()]


def main() -> None:
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 150
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with tempfile.TemporaryDirectory(prefix="vr-unpair-soak-") as folder:
        soaked = soak(requests, seed, Path(folder), lambda line: print(line, flush=True))
        print(f"seed {seed}: {soaked}")


if __name__ == "__main__":
    main()
