"""The lines of `check` about the database. Nothing is created, changed or migrated."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, NullPool, create_engine, inspect, select
from sqlalchemy.engine import URL, make_url

from bot.appliance.budget import BudgetState, budget_key, state_of
from bot.operate.check_line import Line, fine, note, wrong
from bot.store.faults import NAMES_IT, StoreError, as_store_errors, shown_place
from bot.store.migrate import SchemaTooNew, may_work
from bot.store.schema import shared

BUSY_SECONDS = 5
"""A running bot holds the write lock for milliseconds only. If it is held for longer, it is held by
another program."""

CONNECT_SECONDS = 10
"""To connect to a database server; whole seconds (libpq docs, connect_timeout)."""


def database(url: str) -> Line:
    """Whether it can be written: something is, and taken back."""
    place = make_url(url)
    file = file_of(place)
    if file and file.parent.is_dir() and not file.exists():
        return note(f"there is no file {place.database} yet", "`run` makes it")
    try:
        with reading(place) as conn:
            if file:
                conn.exec_driver_sql("BEGIN IMMEDIATE")
                # The lock alone is also given for a file that may only be read.
                conn.exec_driver_sql("CREATE TABLE of_check (n)")
            elif conn.exec_driver_sql("SHOW transaction_read_only").scalar_one() == "on":
                # A standby or a read-only database. Reads work there, as if all was well.
                words = f"{shown_place(place)} takes reads only"
                return wrong(words, f"name the one that takes writes: {NAMES_IT}")
            unverified = not file and somebody_between(conn.dialect.create_connect_args(place)[1])
    except StoreError as error:
        fault = error.fault
        words, step = (fault.what, fault.step) if fault else (str(error), "Report this")
        return wrong(words.rstrip("."), f"{step[0].lower()}{step[1:]}: {NAMES_IT}")
    words = f"{shown_place(place)} can be written"
    if unverified:
        step = "end DATABASE_URL with ?sslmode=verify-full&sslrootcert=FILE"
        return note(f"{words}, but nobody verifies that it is that server", step)
    return fine(words)


def somebody_between(given: Mapping[str, str]) -> bool:
    """Whether somebody on the way to the server could read what is stored, and change it: it is
    another machine, whose certificate is not verified (libpq docs, sslmode). What `given` does not
    say, libpq takes from variables such as PGSSLMODE."""
    from psycopg import pq  # imported here: nothing else needs it with SQLite

    said = {o.keyword.decode(): (o.val or b"").decode() for o in pq.Conninfo.get_defaults()}
    said |= given
    hosts = said["host"].split(",")
    here = all(re.match(r"$|[/@]|localhost$|127\.|::1$", host) for host in hosts)
    # With the system's authorities libpq takes no other mode.
    verified = said["sslmode"] in ("verify-full", "verify-ca") or said["sslrootcert"] == "system"
    return not here and not verified


def schema(url: str) -> Line:
    """Whether there is a schema, of a version that this program may work on."""
    place = make_url(url)
    file = file_of(place)
    none_yet = note("there is none yet", "`run` makes it")
    if file and not file.exists():
        return none_yet
    with reading(place) as conn:
        if not inspect(conn).has_table("alembic_version"):
            return none_yet
        try:
            current = may_work(conn)
        except SchemaTooNew as error:
            step = "install the version that it names, or restore the backup"
            return wrong(str(error).rstrip("."), step)
    if not current:
        return note("it is an older version's", "`run` brings it up to date")
    return fine("it is this version's")


def stored_budget(url: str, site: str) -> BudgetState | None:
    """The login rest that the copies of the bot share; None if there is none to be read: the lines
    of the database say what is wrong with it. Its calls are not counted here."""
    place = make_url(url)
    file = file_of(place)
    if file and not file.exists():
        return None
    try:
        with reading(place) as conn:
            wanted = select(shared.c.value).where(shared.c.key == budget_key(site))
            value = conn.execute(wanted).scalar_one_or_none()
    except StoreError:
        return None
    return state_of(value).model_copy(update={"calls_ms": ()})


def file_of(place: URL) -> Path | None:
    sqlite = place.get_backend_name() == "sqlite"
    return Path(place.database or "").absolute() if sqlite else None


@contextmanager
def reading(place: URL) -> Iterator[Connection]:
    """A transaction that is always rolled back. `Database` is not used here, since it switches a
    file to WAL."""
    if file := file_of(place):
        address = f"{file.as_uri()}?mode=rw"  # never creates a file

        def connect() -> sqlite3.Connection:
            return sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)

        engine = create_engine(
            "sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True
        )
    else:
        limit = {"connect_timeout": CONNECT_SECONDS}
        engine = create_engine(place, poolclass=NullPool, hide_parameters=True, connect_args=limit)
    try:
        # Rolls back at its end: nothing commits.
        with as_store_errors(place), engine.connect() as conn:
            yield conn
    finally:
        engine.dispose()
