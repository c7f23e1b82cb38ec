"""Both databases that the bot can have, and small values to put in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.store.database import Database
from bot.store.migrate import upgrade
from bot.store.requests import Requests
from tests.support.postgres import PostgresServer


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/test.db"


@pytest.fixture
def sqlite_db(sqlite_url: str) -> Iterator[Database]:
    yield from _database(sqlite_url)


@pytest.fixture
def postgres_db(postgres: PostgresServer) -> Iterator[Database]:
    yield from _database(postgres.new_database())


@pytest.fixture(params=["sqlite_db", "postgres_db"])
def db(request: pytest.FixtureRequest) -> Database:
    """The test runs once on each."""
    database = request.getfixturevalue(request.param)
    assert isinstance(database, Database)
    return database


@pytest.fixture
def store(db: Database) -> Requests:
    return Requests(db=db, lease_ms=60_000)


def _database(url: str) -> Iterator[Database]:
    database = Database(url)
    upgrade(database)
    yield database
    database.close()
