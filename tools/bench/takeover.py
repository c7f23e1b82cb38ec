"""`kill -9` of the one of two copies on PostgreSQL that holds a claim, to the other's going on.

The appliance has accepted the DELETE, and its answer dies with the process (`tests/kills`). From
its death to the final reply in the thread, by the other copy: more than its first look, and what
people wait for. All settings are as they are by default, so it is held against the lease of the
claim, which nobody can go on before. The copies mostly wait, so all rounds run side by side, each
with its own pair of copies, database, appliance and Slack.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bot.request.model import State
from bot.worker.drive import LEASE_MS
from tests.kills.faults import AS_IT_IS
from tests.kills.people import Story
from tests.kills.rules import check_story
from tests.replicas.copies import Copies, copies
from tests.scenarios.way_in import OverHttp
from tools.bench.databases import postgres
from tools.bench.figures import Aim, Line

ROUNDS = 5
LEASE_SECONDS = LEASE_MS / 1000


def measure() -> list[Line]:
    with _pairs() as pairs, ThreadPoolExecutor(ROUNDS) as threads:
        seconds = list(threads.map(_seconds, pairs))
    return [
        Line.compared(
            "kill -9 of one of two copies to the other's final reply",
            "the lease of the claim",
            "s",
            seconds,
            [LEASE_SECONDS] * ROUNDS,
            f"{ROUNDS} rounds",
            (Aim(1.2),),
        )
    ]


@contextmanager
def _pairs() -> Iterator[list[Copies]]:
    """Of either copy the one that sends the DELETE dies before it reads the answer."""
    deadly = AS_IT_IS.deadly("delete:received", 1)
    with ExitStack() as stack:
        server = stack.enter_context(postgres())
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="vr-unpair-bench-"))
        yield [
            stack.enter_context(
                copies(server.new_database(), Path(folder, str(n)), OverHttp(), (deadly, deadly))
            )
            for n in range(ROUNDS)
        ]


def _seconds(stage: Copies) -> float:
    """Raises AssertionError when the other does not go on, or not as it has to."""
    story = Story(stage)
    seconds = stage.seconds_to_take_over(story)
    seen = check_story(story)
    if (seen.state, seen.deletes) != (State.SUCCEEDED, 1):
        raise RuntimeError(f"the other copy did not go on as it has to: {seen}")
    return seconds
