"""The console script in this process, over a database in a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.store.database import Database
from bot.store.migrate import upgrade
from tests.support.world import World


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """What the commands find: the working directory is a new one, and nothing else is set."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", "sqlite:///cli.db")
    database = Database("sqlite:///cli.db")
    upgrade(database)
    yield database
    database.close()


@pytest.fixture
def run() -> Callable[..., Result]:
    def invoke(*words: str, code: int = 0) -> Result:
        done = CliRunner().invoke(app, words)
        assert done.exit_code == code, (done.output, done.exception)
        return done

    return invoke


@pytest.fixture
def run_json(run: Callable[..., Result]) -> Callable[..., Any]:
    def invoke(*words: str, code: int = 0) -> Any:
        return json.loads(run(*words, "--json", code=code).stdout)

    return invoke


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The same with the real worker, which moves where the test lets it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", "sqlite:///cli.db")
    made = World("sqlite:///cli.db")
    yield made
    made.close()
