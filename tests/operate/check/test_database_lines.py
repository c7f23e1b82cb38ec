"""The database's lines: nothing is made or changed, whatever is wrong."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from bot.operate import check_database as check
from bot.operate.check_line import Result
from bot.store.database import Database
from bot.store.migrate import upgrade
from tests.support.postgres import PostgresServer


def url(file: Path) -> str:
    return f"sqlite:///{file}"


def migrated(file: Path) -> Path:
    """A database as `run` leaves it."""
    db = Database(url(file))
    upgrade(db)
    db.close()
    return file


def results(file: Path) -> tuple[Result, Result]:
    return check.database(url(file)).result, check.schema(url(file)).result


def test_fine_untouched_and_given_back(tmp_path: Path) -> None:
    file = migrated(tmp_path / "bot.db")
    before = file.read_bytes(), file.stat().st_mtime_ns
    assert results(file) == (Result.OK, Result.OK)
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before
    assert [path.name for path in tmp_path.iterdir()] == ["bot.db"]
    other = sqlite3.connect(file, isolation_level=None, timeout=0)
    other.execute("BEGIN IMMEDIATE")  # nothing holds the right to write any more
    other.close()


def test_a_writer_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "BUSY_SECONDS", 0.1)
    file = migrated(tmp_path / "bot.db")
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    line = check.database(url(file))
    other.close()
    assert line.result is Result.WRONG
    assert "locked" in line.words


@pytest.fixture
def somebody_else() -> Iterator[Path]:
    """A folder where everybody may write, by a user who may not do everything."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    me = os.geteuid()
    yield folder
    os.seteuid(me)
    shutil.rmtree(folder)


def test_a_file_that_may_only_be_read(somebody_else: Path) -> None:
    file = migrated(somebody_else / "bot.db")
    file.chmod(0o444)
    if os.geteuid() == 0:
        os.seteuid(65534)
    line = check.database(url(file))
    assert line.result is Result.WRONG
    assert "only be read" in line.words


def test_a_database_of_something_else(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    with sqlite3.connect(file) as conn:
        conn.execute("CREATE TABLE something (x)")
    conn.close()
    assert results(file) == (Result.OK, Result.NOTE)
    assert check.stored_budget(url(file), "default") is None


def test_what_is_not_there_is_not_made(tmp_path: Path) -> None:
    missing = tmp_path / "none.db"
    assert results(missing) == (Result.NOTE, Result.NOTE)
    assert check.stored_budget(url(missing), "default") is None
    assert not missing.exists()


def test_a_server_that_is_away_is_told_without_its_password() -> None:
    line = check.database("postgresql+psycopg://bot:not-a-real-one@127.0.0.1:1/vr")
    assert line.result is Result.WRONG
    assert "The database vr at 127.0.0.1" in line.words
    assert "not-a-real-one" not in line.sentence


# ---- PostgreSQL on another machine ---------------------------------------------------------------

ELSEWHERE, HERE = "db.example.net", "127.0.0.1"


def test_a_server_elsewhere_that_nobody_verifies_is_noted(
    postgres: PostgresServer,
) -> None:
    """By its name; the way there is on this machine."""
    found = make_url(postgres.new_database())
    assert check.database(found.render_as_string(hide_password=False)).result is Result.OK
    away = found.set(host=ELSEWHERE).update_query_dict({"hostaddr": HERE})
    line = check.database(away.render_as_string(hide_password=False))
    assert line.result is Result.NOTE
    assert f"at {ELSEWHERE} can be written, but nobody verifies" in line.words
    assert "sslmode=verify-full" in line.next_step


@pytest.mark.parametrize(
    ("given", "noted"),
    [
        ({"host": ELSEWHERE}, True),
        ({"host": ELSEWHERE, "sslmode": "require"}, True),
        ({"host": f"{HERE},{ELSEWHERE}", "sslmode": "prefer"}, True),
        ({"host": "localhost.example.net"}, True),
        ({"host": ELSEWHERE, "sslmode": "verify-full"}, False),
        ({"host": ELSEWHERE, "sslmode": "verify-ca"}, False),
        ({"host": ELSEWHERE, "sslrootcert": "system"}, False),
        *(({"host": host}, False) for host in (HERE, "localhost", "::1", "/run/postgresql", "")),
        ({}, False),
    ],
)
def test_which_way_is_open(given: dict[str, str], noted: bool) -> None:
    assert check.somebody_between(given) is noted


def test_the_variables_of_its_library_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", ELSEWHERE)
    assert check.somebody_between({})
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert not check.somebody_between({})
