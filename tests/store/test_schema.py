"""The migrations lead to the schema, and a program meets only a database it may work on: a start
checks a small file completely, and of a large one what decides."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, inspect, text

from bot.request.model import OPEN
from bot.store import migrate, schema, sqlite
from bot.store.database import Database
from bot.store.migrate import SchemaMissing, SchemaTooNew, ready_problem, require, upgrade
from tests.store.samples import together
from tests.support.postgres import PostgresServer

Shape = dict[str, tuple[dict[str, object], list[str]]]


def shape(url: str) -> Shape:
    """By table, its columns and its key."""
    engine = create_engine(url)
    looked = inspect(engine)
    found: Shape = {}
    for table in sorted(set(looked.get_table_names()) - {"alembic_version"}):
        columns = {c["name"]: (str(c["type"]), c["nullable"]) for c in looked.get_columns(table)}
        found[table] = (columns, looked.get_pk_constraint(table)["constrained_columns"])
    engine.dispose()
    return found


def indexes(db: Database) -> dict[str, tuple[object, ...]]:
    looked = inspect(db.engine)
    return {
        str(i["name"]): (table, tuple(i["column_names"]), bool(i["unique"]))
        for table in schema.metadata.tables
        for i in looked.get_indexes(table)
        if "origin" not in str(i["name"])  # of a column that is unique
    }


def test_the_migrations_lead_to_the_schema(sqlite_db: Database, tmp_path: Path) -> None:
    plain = f"sqlite:///{tmp_path}/plain.db"
    engine = create_engine(plain)
    schema.metadata.create_all(engine)
    engine.dispose()
    assert shape(str(sqlite_db.engine.url)) == shape(plain)


@pytest.mark.parametrize("index", ["one_open_request_per_pairing", "one_open_request_per_pair"])
def test_what_refuses_a_second_request_covers_the_open_states(
    sqlite_db: Database, index: str
) -> None:
    with sqlite_db.read() as conn:
        query = text("SELECT sql FROM sqlite_master WHERE name = :index")
        sql = conn.execute(query, {"index": index}).scalar_one()
    states = ", ".join(f"'{state.value}'" for state in sorted(OPEN))
    assert f"AND state IN ({states})" in sql
    assert sql.startswith("CREATE UNIQUE INDEX")


def test_both_databases_have_the_same_tables(sqlite_db: Database, postgres_db: Database) -> None:
    def names(db: Database) -> dict[str, object]:
        found = shape(str(db.engine.url))
        return {table: (set(columns), key) for table, (columns, key) in found.items()}

    assert names(postgres_db) == names(sqlite_db)
    assert indexes(postgres_db) == indexes(sqlite_db)
    assert len(indexes(sqlite_db)) > 10


def test_copies_that_start_together_migrate_once(postgres: PostgresServer) -> None:
    url = postgres.new_database()
    copies = [Database(url) for _ in range(4)]
    together(*[partial(upgrade, copy) for copy in copies])
    before = shape(url)
    upgrade(copies[0])
    assert shape(url) == before
    for db in copies:
        require(db)
        db.close()


def test_a_newer_schema_says_which_versions_may_work_on_it(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with db.write() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    upgrade(db)
    require(db)
    with db.write() as conn:
        conn.execute(schema.schema_info.update().values(oldest_program="9.0.0"))
    for act in (upgrade, require, ready_problem):
        with pytest.raises(SchemaTooNew, match=r"9\.0\.0"):
            act(db)
    monkeypatch.setattr(migrate, "__version__", "9.0.1")
    upgrade(db)


@pytest.mark.parametrize("there", [False, True])
def test_reading_makes_no_database(tmp_path: Path, there: bool) -> None:
    path = tmp_path / "none.db"
    if there:
        path.touch()
    db = Database(f"sqlite:///{path}")
    with pytest.raises(SchemaMissing, match="no schema" if there else r"none\.db"):
        require(db)
    db.close()
    assert path.exists() is there


# ---- what a start checks -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("whole_up_to", "checked"),
    [(sqlite.WHOLE_UP_TO, ["1"]), (0, ["inbox", "messages", "shared", "audit_head"])],
)
def test_the_trail_of_a_large_file_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole_up_to: int, checked: list[str]
) -> None:
    monkeypatch.setattr(sqlite, "WHOLE_UP_TO", whole_up_to)
    db = Database(f"sqlite:///{tmp_path}/new.db")
    heard: list[str] = []
    upgrade(db)
    event.listen(db.engine, "before_cursor_execute", lambda *args: heard.append(args[2]))
    upgrade(db)
    db.close()
    checks = [statement for statement in heard if "quick_check" in statement]
    assert checks == [f"PRAGMA quick_check({what})" for what in checked]


def test_a_new_connection_waits_for_nobody_who_writes(sqlite_db: Database) -> None:
    with sqlite_db.write():
        sqlite_db.engine.dispose()
        with sqlite_db.read() as conn:
            assert conn.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
