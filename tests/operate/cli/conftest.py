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

Run = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, a new one. Nothing but the database's address is set."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", "sqlite:///cli.db")
    return tmp_path


@pytest.fixture
def db(folder: Path) -> Iterator[Database]:
    database = Database("sqlite:///cli.db")
    upgrade(database)
    yield database
    database.close()


@pytest.fixture
def world(folder: Path) -> Iterator[World]:
    """The same with the real worker, which moves where the test lets it."""
    made = World("sqlite:///cli.db")
    yield made
    made.close()


@pytest.fixture
def run() -> Run:
    def invoke(*words: str, code: int = 0, stdin: str | None = None) -> Result:
        done = CliRunner().invoke(app, words, input=stdin)
        assert done.exit_code == code, (done.output, done.exception)
        return done

    return invoke


@pytest.fixture
def run_json(run: Run) -> Callable[..., Any]:
    return lambda *words, code=0: json.loads(run(*words, "--json", code=code).stdout)
