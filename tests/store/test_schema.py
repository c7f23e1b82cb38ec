"""The migrations lead to the schema, and a program meets only a database it may work on."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from bot.store import migrate, schema
from bot.store.database import Database
from bot.store.migrate import SchemaMissing, SchemaTooNew, require, upgrade
from tests.store.samples import together
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
    for act in (upgrade, require):
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
