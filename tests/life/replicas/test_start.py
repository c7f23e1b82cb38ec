"""Copies that are started together on a database in which there is nothing yet."""

from __future__ import annotations

from pathlib import Path

from tests.life.kills.faults import AS_IT_IS
from tests.life.kills.people import Story
from tests.life.kills.rules import check_story, check_words
from tests.life.replicas.copies import copies, is_ready
from tests.support.postgres import PostgresServer
from tests.support.way_in import OverHttp


def test_three_copies_migrate_an_empty_database_once(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    database = postgres.new_database()
    with copies(database, tmp_path, OverHttp(), (AS_IT_IS,) * 3) as stage:
        assert all(is_ready(bot) for bot in stage.lives)
        assert len(stage.ask("SELECT version_num FROM alembic_version")) == 1
        assert [action for _, action in stage.records()].count("started") == 3
        story = Story(stage)
        stage.finish([story])
        assert check_story(story).accepted == 1
    check_words(stage)
