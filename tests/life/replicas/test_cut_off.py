"""One of two copies cannot reach the database, and comes back by itself."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

from bot.request.model import State
from sandbox.appliance import Answer
from tests.life.kills.faults import QUICK
from tests.life.kills.people import Story
from tests.life.kills.rules import check_story, check_words
from tests.life.replicas.copies import DATABASE_AWAY, QUICK_SETTINGS, copies, readiness
from tests.life.replicas.way_to_database import WayToDatabase
from tests.support.postgres import PostgresServer
from tests.support.stage import ALAN
from tests.support.way_in import OverHttp, WayIn

LONG = dataclasses.replace(QUICK, lease_ms=15_000)
"""Nobody takes over before the way is open again: what is known is what the copy has in hand."""

REFUSED = Answer(503, headers={"Retry-After": "1"}, wire="hang")
SETTINGS = {**QUICK_SETTINGS, "VR_TIMEOUT_SECONDS": "5"}


def test_the_others_go_on(postgres: PostgresServer, way_in: WayIn, tmp_path: Path) -> None:
    database = postgres.new_database()
    with (
        WayToDatabase(postgres.port) as way,
        copies(database, tmp_path, way_in, (), QUICK_SETTINGS) as stage,
    ):
        (near,) = stage.add(QUICK)
        (far,) = stage.add(QUICK, DATABASE_URL=way.through(database))
        for shut in (way.cut, way.silence):
            shut()
            began = time.monotonic()
            stage.wait_until(lambda: readiness(far)[0] == 503)
            seconds, why = time.monotonic() - began, readiness(far)[1]["database"]
            print(f"{way_in.name}, {shut.__name__}: 503 after {seconds:.1f} s: {why}")
            assert why != "ok"
            assert readiness(near)[0] == 200
            stage.balance()
            story = Story(stage)
            stage.finish([story])
            assert check_story(story).state is State.SUCCEEDED
            way.open()
            began = time.monotonic()
            stage.wait_until(lambda: readiness(far)[0] == 200)
            print(f"{way_in.name}: ready again after {time.monotonic() - began:.1f} s")
            near.stop()  # whatever happens from here on, the one that was cut off has done it
            stage.balance()
            stories = [Story(stage, presses=(ALAN, ALAN)) for _ in range(3)]
            stage.finish(stories)
            assert {check_story(story).state for story in stories} == {State.SUCCEEDED}
            (near,) = stage.add(QUICK)
    check_words(stage, DATABASE_AWAY)


def test_an_answer_in_hand_is_not_lost(postgres: PostgresServer, tmp_path: Path) -> None:
    """The answer to the DELETE says that nothing was done, and only this copy has heard it. Nobody
    can find that out by looking: lost, it would be a request that a person has to look at."""
    database = postgres.new_database()
    with (
        WayToDatabase(postgres.port) as way,
        copies(database, tmp_path, OverHttp(), (), SETTINGS) as stage,
    ):
        (far,) = stage.add(LONG, DATABASE_URL=way.through(database))
        stage.appliance.on_delete(REFUSED)
        story = Story(stage)
        story.asks()
        stage.wait_until(lambda: bool(story.cards()))
        story.acts()
        stage.wait_until(lambda: bool(stage.appliance.deletes))
        way.cut()
        stage.appliance.release_hanging()
        stage.wait_until(lambda: bool(far.events("outcome_in_hand")))
        stage.add(LONG)
        way.open()
        stage.finish([story])
        seen = check_story(story)
        assert (seen.state, seen.deletes, seen.accepted) == (State.SUCCEEDED, 2, 1)
    check_words(stage, DATABASE_AWAY)
