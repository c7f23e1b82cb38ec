"""The migrations lead to the schema, and a program meets only a database it may work on."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from bot.store import migrate, schema
from bot.store.database import Database
from bot.store.migrate import SchemaMissing, SchemaTooNew, require, upgrade
from tests.support.postgres import PostgresServer


def shape(url: str) -> dict[str, object]:
    engine = create_engine(url)
    looked = inspect(engine)
    found: dict[str, object] = {}
    for table in sorted(set(looked.get_table_names()) - {"alembic_version"}):
        columns = {c["name"]: (str(c["type"]), c["nullable"]) for c in looked.get_columns(table)}
        indexes = {
            i["name"]: (tuple(i["column_names"]), bool(i["unique"]))
            for i in looked.get_indexes(table)
        }
        found[table] = (columns, indexes, looked.get_pk_constraint(table)["constrained_columns"])
    engine.dispose()
    return found


def test_the_migrations_lead_to_the_schema(sqlite_db: Database, tmp_path: Path) -> None:
    plain = f"sqlite:///{tmp_path}/plain.db"
    engine = create_engine(plain)
    schema.metadata.create_all(engine)
    engine.dispose()
    assert shape(str(sqlite_db.engine.url)) == shape(plain)


def test_the_partial_index_covers_the_open_states(sqlite_db: Database) -> None:
    with sqlite_db.read() as conn:
        sql = conn.execute(
            text("SELECT sql FROM sqlite_master WHERE name = 'one_open_request_per_pairing'")
        ).scalar_one()
    for state in ("checking", "pending", "approved", "deleting", "following"):
        assert f"'{state}'" in sql
    assert "attention" not in sql


def test_both_databases_have_the_same_tables(sqlite_db: Database, postgres_db: Database) -> None:
    def names(db: Database) -> dict[str, object]:
        found = shape(str(db.engine.url))
        return {
            table: (set(columns), {k for k in indexes if "origin" not in k}, key)  # type: ignore[misc]
            for table, (columns, indexes, key) in found.items()  # type: ignore[misc]
        }

    assert names(postgres_db) == names(sqlite_db)


def test_copies_that_start_together_migrate_once(postgres: PostgresServer) -> None:
    url = postgres.new_database()
    copies = [Database(url) for _ in range(4)]
    failed: list[BaseException] = []

    def start(db: Database) -> None:
        try:
            upgrade(db)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=start, args=(db,)) for db in copies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for db in copies:
        require(db)
        db.close()
    assert failed == []


def test_migrating_again_changes_nothing(db: Database) -> None:
    before = shape(str(db.engine.url))
    upgrade(db)
    assert shape(str(db.engine.url)) == before


def test_a_newer_schema_that_lets_us_work(db: Database) -> None:
    _newer(db, oldest="0.1.0")
    upgrade(db)
    require(db)


def test_a_newer_schema_that_does_not(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    _newer(db, oldest="9.0.0")
    for act in (upgrade, require):
        with pytest.raises(SchemaTooNew, match=r"9\.0\.0"):
            act(db)
    monkeypatch.setattr(migrate, "__version__", "9.0.1")
    upgrade(db)


def test_reading_makes_no_database(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    missing = Database(f"sqlite:///{path}")
    with pytest.raises(SchemaMissing, match=r"none\.db"):
        require(missing)
    missing.close()
    assert not path.exists()


def test_an_empty_database_is_said(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    empty = Database(f"sqlite:///{path}")
    with pytest.raises(SchemaMissing):
        require(empty)
    empty.close()


def _newer(db: Database, oldest: str) -> None:
    with db.write() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        conn.execute(schema.schema_info.update().values(oldest_program=oldest))
