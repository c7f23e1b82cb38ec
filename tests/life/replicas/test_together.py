"""Twenty requests with clicks spread over three copies: one bot, as the two servers see it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

from bot.request.model import State
from sandbox.appliance import Call
from tests.life.kills.faults import Faults
from tests.life.kills.people import Story
from tests.life.kills.rules import check_story, check_words
from tests.life.replicas.copies import Copies, copies
from tests.support.postgres import PostgresServer
from tests.support.stage import ALAN, ANNA
from tests.support.way_in import WayIn

TWENTY, COPIES, HANDS = 20, 3, 5
POLL_SECONDS, POLLS = 1.0, 2

WINDOW_SECONDS, CALLS = 3.0, 150
"""Instead of sixty seconds, so that several windows fit into a test."""

ON_THE_WAY_SECONDS = 1.0
"""Between the counting of a call and its arrival, on a busy machine."""

FIGURES = Faults(window_ms=int(WINDOW_SECONDS * 1000), calls_per_minute=CALLS)
SETTINGS = {"VR_POLL_SECONDS": str(POLL_SECONDS)}


def test_twenty_requests_and_three_copies(
    postgres: PostgresServer, way_in: WayIn, tmp_path: Path
) -> None:
    database, many = postgres.new_database(), (FIGURES,) * COPIES
    with copies(database, tmp_path, way_in, many, SETTINGS) as stage:
        # All three came upon an empty database.
        assert [action for _, action in stage.records()] == ["started"] * COPIES
        stage.appliance.hold_tasks()
        stories = [Story(stage, presses=(ALAN, ALAN, ANNA, ANNA)) for _ in range(TWENTY)]
        with ThreadPoolExecutor(HANDS) as hands:
            list(hands.map(Story.asks, stories))
            stage.wait_until(lambda: all_in(stage, State.PENDING))
            list(hands.map(Story.acts, stories))
        stage.wait_until(lambda: all_in(stage, State.FOLLOWING))
        seconds = between_polls(stage)
        stage.appliance.release_tasks()
        stage.finish(stories)

        records = stage.records()
        assert {check_story(story, records).state for story in stories} == {State.SUCCEEDED}
        deletes = [call.path for call in stage.appliance.deletes]
        assert len(deletes) == len(set(deletes)) == TWENTY
        assert [len(story.finals()) for story in stories] == [1] * TWENTY
        clicks = sum(len(story.acknowledged) for story in stories)
        by_copy = [len(bot.events("sent")) for bot in stage.lives]
        fullest = most_within(stage.appliance.calls, WINDOW_SECONDS - ON_THE_WAY_SECONDS)
        print(
            f"{way_in.name}: {clicks} clicks, {len(deletes)} DELETEs, {TWENTY} final replies;"
            f" messages by copy {by_copy}; each of {TWENTY} running tasks asked for every"
            f" {min(seconds):.2f} s or more; at most {fullest} of {CALLS} calls in a window"
        )
        assert all(by_copy), "one copy has had nothing to say"
        # Of all gaps together: each by itself tells how long two calls were on their way as well.
        # Three copies that followed for themselves would come three times as often.
        assert sum(seconds) > 0.9 * POLL_SECONDS * len(seconds), seconds
        assert fullest <= CALLS
    check_words(stage)


def all_in(stage: Copies, state: State) -> bool:
    return [row.state for row in stage.rows()] == [state] * TWENTY


def between_polls(stage: Copies) -> list[float]:
    """Seconds between two of the same task, while all of them run."""

    def polls() -> list[list[Call]]:
        asked = [call for call in stage.appliance.calls if call.path.startswith("/tasks/")]
        return [[c for c in asked if c.path == path] for path in {c.path for c in asked}]

    def enough() -> bool:
        return len(polls()) == TWENTY and min(map(len, polls())) > POLLS

    stage.wait_until(enough)
    return [later.at - earlier.at for each in polls() for earlier, later in pairwise(each)]


def most_within(calls: Sequence[Call], seconds: float) -> int:
    """The most calls that any window of this length has held."""
    times = sorted(call.at for call in calls)
    return max(sum(first <= at < first + seconds for at in times) for first in times)
