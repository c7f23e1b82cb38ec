"""`kill -9` of one of two copies while requests are in every state: the other goes on."""

from __future__ import annotations

import time
from pathlib import Path

from bot.request.model import State
from sandbox.appliance import Answer
from tests.life.kills.faults import AS_IT_IS, QUICK
from tests.life.kills.people import Story
from tests.life.kills.rules import check_story, check_words
from tests.life.replicas.copies import QUICK_SETTINGS, Copies, copies
from tests.support.postgres import PostgresServer
from tests.support.way_in import OverHttp, WayIn

SETTINGS = {**QUICK_SETTINGS, "FOLLOW_TTL": "1h"}
LOST = Answer(wire="hang")
LATER = Answer(503, headers={"Retry-After": "2"})

GOES_ON_WITHIN_SECONDS = 30.0
"""Contract, at the default settings; a busy machine may take twice that."""


def test_the_other_copy_goes_on(postgres: PostgresServer, way_in: WayIn, tmp_path: Path) -> None:
    with copies(postgres.new_database(), tmp_path, way_in, (QUICK, QUICK), SETTINGS) as stage:
        done, lost, followed, put_off, undecided, asked = (Story(stage) for _ in range(6))
        stage.finish([done])
        for story in (lost, followed, put_off, undecided):
            story.asks()
            wait_for(stage, story, State.PENDING)
        stage.appliance.hold_tasks()
        stage.appliance.on_delete(Answer(), LOST, LATER)
        for story, state in ((followed, State.FOLLOWING), (lost, State.DELETING)):
            story.acts()
            wait_for(stage, story, state)
        put_off.acts()
        stage.wait_until(lambda: any(action == "not_accepted" for _, action in stage.records()))
        asked.asks()
        first, other = stage.lives
        stage.kill(first)
        died, before = time.monotonic(), len(other.events("sent"))
        stage.balance()
        stage.appliance.release_tasks()
        stage.finish([lost, followed, put_off, undecided, asked])
        seconds = time.monotonic() - died
        print(f"{way_in.name}: all was done {seconds:.1f} s after the kill; lease 3 s")
        assert len(other.events("sent")) > before
        records = stage.records()
        ends = [check_story(s, records).state for s in (done, followed, put_off, undecided, asked)]
        assert set(ends) == {State.SUCCEEDED}
        assert check_story(lost, records).state is State.ATTENTION
    check_words(stage)


def test_with_every_figure_as_it_is_the_other_goes_on_within_the_promise(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    """The appliance has accepted, and the answer dies with the process. The way in makes no
    difference to that: what is waited for is the lease."""
    deadly = AS_IT_IS.deadly("delete:received", 1)
    with copies(postgres.new_database(), tmp_path, OverHttp(), (deadly, deadly)) as stage:
        story = Story(stage)
        seconds = stage.seconds_to_take_over(story)
        print(f"the other's final reply came {seconds:.1f} s after the kill")
        assert seconds < 2 * GOES_ON_WITHIN_SECONDS
        seen = check_story(story)
        assert (seen.state, seen.deletes) == (State.SUCCEEDED, 1)
    check_words(stage)


def wait_for(stage: Copies, story: Story, state: State) -> None:
    stage.wait_until(
        lambda: any(r.channel == story.channel and r.state is state for r in stage.rows())
    )
