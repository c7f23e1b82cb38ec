"""The files of a SQLite database hold reasons and names: only the bot's own user reads them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.store.database import Database
from bot.store.migrate import upgrade
from tests.store.samples import born


@pytest.fixture(autouse=True, params=[0o000, 0o022, 0o777])
def _umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


ALL = {"bot.db": 0o600, "bot.db-wal": 0o600, "bot.db-shm": 0o600}


def test_new_files_are_for_the_bots_user_alone(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path}/bot.db")
    upgrade(db)
    born(db, 1)
    assert modes(tmp_path) == ALL
    db.close()


def test_files_that_others_could_read_are_so_no_more(tmp_path: Path) -> None:
    file = tmp_path / "bot.db"
    first, second = (Database(f"sqlite:///{file}") for _ in range(2))
    upgrade(first)
    born(first, 1)
    for each in tmp_path.iterdir():
        each.chmod(0o666)
    born(second, 2)
    assert modes(tmp_path) == ALL
    first.close()
    second.close()


def test_behind_a_link_too(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir(mode=0o700)
    there.chmod(0o700)
    (tmp_path / "link.db").symlink_to(there / "bot.db")
    db = Database(f"sqlite:///{tmp_path}/link.db")
    upgrade(db)
    born(db, 1)
    assert modes(there) == ALL
    db.close()
