"""`kill -9` of one of two copies while requests are in every state: the other goes on."""

from __future__ import annotations

import time
from pathlib import Path

from bot.request.model import State
from bot.sandbox.appliance import Answer
from tests.life.kills.faults import QUICK
from tests.life.kills.people import Story
from tests.life.kills.rules import check_story, check_words
from tests.life.replicas.copies import QUICK_SETTINGS, Copies, copies
from tests.support.postgres import PostgresServer
from tests.support.way_in import WayIn

SETTINGS = {**QUICK_SETTINGS, "FOLLOW_TTL": "1h"}
LOST = Answer(wire="hang")
LATER = Answer(503, headers={"Retry-After": "2"})
TASK_SECONDS = 0.3


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


def wait_for(stage: Copies, story: Story, state: State) -> None:
    stage.wait_until(
        lambda: any(r.channel == story.channel and r.state is state for r in stage.rows())
    )
