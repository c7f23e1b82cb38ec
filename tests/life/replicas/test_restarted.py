"""PostgreSQL is killed twice in the middle of everything, and comes back: so do all copies."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from bot.request.model import State
from tests.life.kills.faults import QUICK
from tests.life.kills.people import Story
from tests.life.kills.rules import check_story, check_words
from tests.life.replicas.copies import (
    DATABASE_AWAY,
    QUICK_SETTINGS,
    Copies,
    copies,
    is_ready,
    readiness,
)
from tests.support.postgres import PostgresServer
from tests.support.stage import ALAN, ANNA
from tests.support.way_in import WayIn

TEN = 10

FIGURES = dataclasses.replace(QUICK, sending_ms=20_000)
"""A message is held for longer than the database is away: what Slack has taken meanwhile is stored
before anybody else may post it."""


def test_all_copies_come_back(own_postgres: PostgresServer, way_in: WayIn, tmp_path: Path) -> None:
    database = own_postgres.new_database()
    with copies(database, tmp_path, way_in, (FIGURES,) * 3, QUICK_SETTINGS) as stage:
        stories = [Story(stage, presses=(ALAN, ANNA)) for _ in range(TEN)]
        for story in stories:
            story.asks()
        for deletes in (0, TEN // 2):
            stage.wait_until(partial(acted, stage, stories, deletes))
            own_postgres.kill()
            for bot in stage.lives:
                status, why = readiness(bot)
                assert status == 503
                assert why["database"] != "ok"
            own_postgres.go()
            began = time.monotonic()
            stage.wait_until(lambda: all(is_ready(bot) for bot in stage.lives))
            seconds = time.monotonic() - began
            print(f"{way_in.name}: ready again {seconds:.1f} s after the database")
            stage.balance()
        stage.finish(stories)

        records = stage.records()
        assert {check_story(story, records).state for story in stories} == {State.SUCCEEDED}
        assert [len(story.finals()) for story in stories] == [1] * TEN
        assert len(stage.appliance.deletes) == TEN
    check_words(stage, DATABASE_AWAY)


def acted(stage: Copies, stories: Sequence[Story], deletes: int) -> bool:
    """Until so many DELETEs have left, with others before it and behind it."""
    if deletes:
        for story in stories:
            story.acts()
    cards = sum(bool(story.cards()) for story in stories)
    return cards >= TEN // 2 and len(stage.appliance.deletes) >= deletes
