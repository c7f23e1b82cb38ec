"""Brings the database to the schema of this program, or says why it must not be touched."""

from __future__ import annotations

from pathlib import Path

import structlog
from sqlalchemy import Connection, inspect, select, text

from bot import __version__
from bot.store import schema
from bot.store.database import Database, change_shared
from bot.store.faults import StoreError, damaged, log_gone, shown_place

log = structlog.get_logger(__name__)


class SchemaTooNew(Exception):
    """A newer program has changed the database, and this one must not work on it any more."""


class Damaged(Exception):
    """What is stored cannot be trusted, the index that refuses a second open request included."""


class SchemaMissing(Exception):
    """There is no schema of this version yet. Only `run` makes one; commands that read say so."""


def upgrade(db: Database) -> None:
    """Migrate if needed, under a lock, so that of several copies that start together only one does
    it. Raises SchemaTooNew and Damaged: a SQLite file is checked first, since a damaged page is
    otherwise noticed only when it is needed."""
    found = db.damage()
    if found is not None:
        raise Damaged(damaged(shown_place(db.engine.url), found).at_start())
    with db.write() as conn:
        db.kind.lock_schema(conn)
        if not may_work(conn):
            _migrate(conn)


def require(db: Database) -> None:
    """For commands that read: the schema must exist and be as new as this program. Raises
    SchemaMissing and SchemaTooNew."""
    missing = db.kind.missing_file()
    if missing:  # opening it would create an empty file and hide that this is the wrong folder
        raise SchemaMissing(
            f"There is no database {missing}. DATABASE_URL says where it is, from the folder in "
            "which the bot runs; `vr-unpair run` makes it."
        )
    with db.read() as conn:
        if not may_work(conn):
            raise SchemaMissing(
                "The database has no schema of this version yet: start `vr-unpair run` once, "
                "it brings the database up to date."
            )


def may_work(conn: Connection) -> bool:
    """True if the schema is ours, or a newer one that we may work on. False if it is older or there
    is none. Raises SchemaTooNew."""
    if not inspect(conn).has_table("alembic_version"):
        return False
    revision = conn.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    if revision is None or revision < schema.REVISION:
        return False
    oldest = conn.execute(select(schema.schema_info.c.oldest_program)).scalar_one()
    if _parts(__version__) < _parts(oldest):
        raise SchemaTooNew(
            f"The database was brought to schema {revision} by a newer vr-unpair. This is "
            f"version {__version__}; the oldest that may work on it is {oldest}. Install "
            f"{oldest} or later, or restore the backup made before the upgrade."
        )
    return True


def _migrate(conn: Connection) -> None:
    # Imported here: it takes 30 ms and some MB, which a start on a current schema does not need.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = conn
    command.upgrade(config, "head")
    log.info("schema_upgraded", revision=schema.REVISION)


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:3])


KEY = "readyz"


def ready_problem(db: Database) -> str | None:
    """Whether the database is usable now, for `/readyz`; a sentence when it is not. Tries to write
    as well, since a full disk can still be read. Raises SchemaTooNew, and errors
    that are not faults of the database."""
    try:
        change_shared(db, KEY, _another)
        with db.read() as conn:
            may_work(conn)
    except StoreError as error:
        if error.fault is None:
            raise
        return error.fault.running()
    fault = log_gone(db.engine.url) if db.kind.log_gone() else db.damaged
    return fault.running() if fault else None


def _another(old: str | None, now: int) -> str:
    """Always another value than the stored one: to store the same would write nothing, and so prove
    nothing."""
    return str(now) if old != str(now) else f"{now} again"
