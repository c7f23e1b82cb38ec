"""Bring the database to the schema of this program, or say why it may not be touched."""

from __future__ import annotations

from pathlib import Path

import structlog
from sqlalchemy import Connection, inspect, select, text

from bot import __version__
from bot.store import schema
from bot.store.database import Database
from bot.store.faults import damaged, shown_place

log = structlog.get_logger(__name__)


class SchemaTooNew(Exception):
    """A newer program has changed the database so that this one must not work on it."""


class Damaged(Exception):
    """What is stored cannot be trusted, an index that refuses a second request included."""


class SchemaMissing(Exception):
    """Only `run` makes a schema; whoever only reads must be told that there is none yet."""


def upgrade(db: Database) -> None:
    """Under the write lock: copies that start together migrate once. Raises Damaged: a file is
    read through before it is worked on, since a broken page is met only by whoever needs it."""
    found = db.damage()
    if found is not None:
        raise Damaged(damaged(shown_place(db.engine.url), found).at_start())
    with db.write() as conn:
        db.lock_schema(conn)
        if not may_work(conn):
            _migrate(conn)


def require(db: Database) -> None:
    """For commands that read: the schema must be there, as new as this program."""
    missing = db.missing_file()
    if missing:  # opening it would make an empty one, and hide that this is the wrong folder
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
    """True when the schema is ours or a newer one that we may work on; False when it is older."""
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
    # Imported here: 30 ms and some MB that a start on a current schema does not pay.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = conn
    command.upgrade(config, "head")
    log.info("schema_upgraded", revision=schema.REVISION)


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:3])
