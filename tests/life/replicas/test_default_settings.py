"""One of two copies is killed with every figure as it is: the other goes on within the promise."""

from __future__ import annotations

from pathlib import Path

from bot.request.model import State
from bot.worker.drive import LEASE_MS
from tests.life.kills.faults import AS_IT_IS
from tests.life.kills.people import Story
from tests.life.kills.rules import check_story, check_words
from tests.life.replicas.copies import copies
from tests.support.postgres import PostgresServer
from tests.support.way_in import OverHttp

GOES_ON_WITHIN_SECONDS = 30.0
"""Contract."""


def test_the_other_copy_goes_on_within_thirty_seconds(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    """The appliance has accepted, and the answer dies with the process. The way in makes no
    difference to that: what is waited for is the lease."""
    deadly = AS_IT_IS.deadly("delete:received", 1)
    with copies(postgres.new_database(), tmp_path, OverHttp(), (deadly, deadly)) as stage:
        story = Story(stage)
        seconds = stage.seconds_to_take_over(story)
        print(f"the other's final reply came {seconds:.1f} s after the kill; lease {LEASE_MS} ms")
        assert seconds < GOES_ON_WITHIN_SECONDS
        seen = check_story(story)
        assert (seen.state, seen.deletes) == (State.SUCCEEDED, 1)
    check_words(stage)
