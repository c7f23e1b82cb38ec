"""The lines of `check` about the database. They create, change and migrate nothing."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, NullPool, create_engine, inspect, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from bot.core.finding import Finding, fine, note, wrong
from bot.store.faults import NAMES_IT, shown_place
from bot.store.migrate import SchemaTooNew, may_work
from bot.store.schema import shared

BUSY_SECONDS = 5
"""A running bot holds the write lock for milliseconds only. If it is held for longer, it is held by
another program."""

CONNECT_SECONDS = 10
"""To connect to a database server; whole seconds (libpq docs, connect_timeout)."""


class _ReadsOnly(Exception):
    """A standby or a read-only database. Reads work there, as if all was well."""


def database(url: str) -> Iterator[Finding]:
    """Whether the database can be written: the write lock is taken and released again."""
    place = make_url(url)
    problem = _out_of_reach(place)
    if problem is not None:
        yield problem
        return
    if _to_be_made(place):
        yield note("database", f"there is no file {place.database} yet", "`run` makes it")
        return
    try:
        with _writing(place):
            pass
    except (SQLAlchemyError, _ReadsOnly) as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        step = "free it, or let the bot's user write it"
        yield wrong("database", f"{shown_place(place)} cannot be written ({reason})", _step(step))
    else:
        yield fine("database", f"{shown_place(place)} can be written")


def schema(url: str) -> Iterator[Finding]:
    """Whether there is a schema, of a version that this program may work on."""
    place = make_url(url)
    none_yet = note("schema", "there is none yet", "`run` makes it")
    if _to_be_made(place):
        yield none_yet
        return
    with _writing(place) as conn:
        if not inspect(conn).has_table("alembic_version"):
            yield none_yet
            return
        try:
            current = may_work(conn)
        except SchemaTooNew as error:
            step = "install the version that it names, or restore the backup"
            yield wrong("schema", str(error).rstrip("."), step, final=True)
            return
    if current:
        yield fine("schema", "it is this version's")
    else:
        yield note("schema", "it is an older version's", "`run` brings it up to date")


def shared_value(url: str, key: str) -> str | None:
    """The value that the copies of the bot share under this key; None if it cannot be read."""
    place = make_url(url)
    if _to_be_made(place):
        return None
    try:
        with _reading(place) as conn:
            wanted = select(shared.c.value).where(shared.c.key == key)
            value: str | None = conn.execute(wanted).scalar_one_or_none()
            return value
    except SQLAlchemyError:
        return None  # the lines of the database say what is wrong with it


def _is_file(place: URL) -> bool:
    return place.get_backend_name() == "sqlite"


def _to_be_made(place: URL) -> bool:
    return _is_file(place) and not Path(place.database or "").exists()


def _out_of_reach(place: URL) -> Finding | None:
    """A finding if the folder is missing, or if it or the file may not be written. SQLite itself
    would only notice the folder at the first write."""
    if not _is_file(place):
        return None
    file = Path(place.database or "").absolute()
    if not file.parent.is_dir():
        return wrong("database", f"the folder {file.parent} is not there", _step("make it"))
    step = _step("let the bot's user write there")
    if not os.access(file.parent, os.W_OK | os.X_OK):
        return wrong("database", f"the folder {file.parent} cannot be written", step)
    if file.exists() and not os.access(file, os.W_OK):
        return wrong("database", f"the file {file} cannot be written", step)
    return None


def _step(what: str) -> str:
    return f"{what}: {NAMES_IT}"


@contextmanager
def _writing(place: URL) -> Iterator[Connection]:
    """A transaction that may write, and is always rolled back."""
    with _reading(place) as conn:
        if _is_file(place):
            conn.exec_driver_sql("BEGIN IMMEDIATE")
        elif conn.exec_driver_sql("SHOW transaction_read_only").scalar_one() == "on":
            raise _ReadsOnly("the server takes reads only")
        yield conn


@contextmanager
def _reading(place: URL) -> Iterator[Connection]:
    engine = _file_engine(place) if _is_file(place) else _server_engine(place)
    try:
        with engine.connect() as conn:
            try:
                yield conn
            finally:
                conn.rollback()
    finally:
        engine.dispose()


def _file_engine(place: URL) -> Engine:
    file = Path(place.database or "").absolute()

    def connect() -> sqlite3.Connection:
        # `mode=rw` never creates a file. `Database` is not used here, since it switches the file to
        # WAL.
        address = f"{file.as_uri()}?mode=rw"
        return sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)

    return create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)


def _server_engine(place: URL) -> Engine:
    return create_engine(
        place,
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"connect_timeout": CONNECT_SECONDS},
    )
